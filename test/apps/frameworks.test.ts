/** Untouched apps of every framework, hosted by two workers: as scripts that listen themselves, and as exports. */
import { NEXT_SERVER } from '../support/apps.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type Address, ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { type Program, startMonoceros } from '../support/process.ts'
import { appFile, FRAMEWORKS, type Language } from './frameworks.ts'

/** Whether this Node runs TypeScript by itself (22.18 and later). */
const RUNS_TYPESCRIPT = Boolean((process.features as { typescript?: unknown }).typescript)
const LANGUAGES: readonly Language[] = ['CommonJS', 'ESM', 'TypeScript']

const ready = (program: Program, workers = 2): Promise<unknown> => program.lines(/worker ready/, workers)

const stopped = async (program: Program): Promise<void> => {
  program.signal('SIGTERM')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
}

/** Both workers are asked for: each is stopped in its turn, so that the other must answer. */
async function answers(address: Address, name: string, workers: readonly number[]): Promise<void> {
  for (const other of workers) {
    process.kill(other, 'SIGSTOP')
    const { status, body } = await ask(address, { path: '/hello' })
    process.kill(other, 'SIGCONT')
    expect(status).toBe(200)
    const said = JSON.parse(body)
    expect(said.framework).toBe(name)
    expect(workers.filter((pid) => pid !== other)).toContain(said.pid)
  }
  const headers = { 'content-type': 'text/plain' }
  const echo = await ask(address, { path: '/echo', method: 'POST', body: 'x'.repeat(40_000), headers })
  expect(echo.body).toBe('x'.repeat(40_000))
}

const pids = async (program: Program): Promise<number[]> =>
  (await program.lines(/worker started .*pid=(\d+)/, 2)).map(([, pid]) => Number(pid))

describe.each(FRAMEWORKS.map((framework) => [framework.name, framework] as const))('%s', (name, framework) => {
  it.each(LANGUAGES)('in %s, listening itself', async (language) => {
    const port = await freePort()
    const program = startMonoceros([appFile(framework, language, port), '-w', '2'])
    if (language === 'TypeScript' && !RUNS_TYPESCRIPT) return refused(program)
    await ready(program)
    await answers({ port, host: 'localhost' }, name, await pids(program))
    await stopped(program)
  })

  it.each<Language>(['CommonJS', 'ESM'])('in %s, preloaded', async (language) => {
    const port = await freePort()
    const program = startMonoceros([appFile(framework, language, port), '-w', '2', '--preload'])
    await ready(program)
    await answers({ port, host: 'localhost' }, name, await pids(program))
    await stopped(program)
  })

  it.each(LANGUAGES)('in %s, as an export', async (language) => {
    const path = `${temporaryFolder()}/sock`
    const program = startMonoceros([appFile(framework, language, null), '-w', '2', '--bind', `unix:${path}`])
    if (language === 'TypeScript' && !RUNS_TYPESCRIPT) return refused(program)
    await ready(program)
    await answers({ path }, name, await pids(program))
    await stopped(program)
  })
})

/** A Node that cannot run it says so, and so do we. */
async function refused(program: Program): Promise<void> {
  expect(await program.ended()).toMatchObject({ code: 4 })
  expect(program.output).toMatch(/Unknown file extension "\.mts"/)
}

describe('Next.js', () => {
  it('as its built standalone server', async () => {
    const port = await freePort()
    const program = startMonoceros([NEXT_SERVER, '-w', '2'], { env: { PORT: String(port), HOSTNAME: '127.0.0.1' } })
    await ready(program)
    const workers = await pids(program)
    const { body } = await ask({ port }, { path: '/hello' })
    expect(JSON.parse(body)).toMatchObject({ framework: 'next', method: 'GET' })
    expect(workers).toContain(JSON.parse(body).pid)
    expect((await ask({ port })).body).toMatch(/next worker (<!-- -->)?[01]/)
    await stopped(program)
  })

  it('is led to bind', async () => {
    const path = `${temporaryFolder()}/sock`
    const program = startMonoceros([NEXT_SERVER, '-w', '2', '--bind', `unix:${path}`], {
      env: { PORT: String(await freePort()), HOSTNAME: '127.0.0.1' },
    })
    await ready(program)
    expect(JSON.parse((await ask({ path }, { path: '/hello' })).body)).toMatchObject({ framework: 'next' })
    await stopped(program)
  })
})
