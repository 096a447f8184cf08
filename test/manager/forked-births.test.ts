/** `target` companions between the command, or the crash, and their birth from the mold (`preload`). */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from '../arbiter/service.ts'
import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { type Alone, manage } from './alone.ts'

const PRELOAD = { preload: true, bootTimeout: '30s' }

/** Is loaded, as `text`, when somebody has opened the FIFO `load` for writing and closed it. */
const LOADS = (text: string): string => `
  console.log('loads ${text}')
  require('node:fs').readFileSync('load')
  exports.run = () => {
    console.log('${text} runs as ' + process.env.MONOCEROS_COMPANION)
    return new Promise(() => setInterval(() => {}, 1000))
  }`

async function begin(): Promise<Alone & { load(): void }> {
  const of = await manage([{ name: 'idle', command: ['true'], autostart: false }], { 'q.js': LOADS('q1') }, PRELOAD)
  execFileSync('mkfifo', [of.path('load')])
  of.configure(['a', 'b'].map((name) => ({ name, target: './q.js:run' })))
  expect(await of.ask({ cmd: 'reread' })).toMatchObject({ ok: true, added: ['a', 'b'] })
  await of.program.line('loads q1')
  return { ...of, load: () => writeFileSync(of.path('load'), '') }
}

const molds = ({ program }: Alone): number => program.output.match(/mold started/g)!.length

async function moldOf({ program }: Alone): Promise<number> {
  const [, mold] = await program.line(/mold is quiet.* pid=(\d+)/)
  return Number(mold)
}

describe('a companion that waits for its mold to be loaded', () => {
  it('is stopped at once, and nothing is forked for it', async () => {
    const of = await begin()
    expect(await of.ask({ cmd: 'stop', name: 'b' })).toMatchObject({ ok: true })
    expect(await of.status('b')).toMatchObject({ state: 'STOPPED', manual_stop: true, pid: null, reason: null })
    of.load()
    await of.program.line('q1 runs as a')
    await of.become('a', 'RUNNING')
    expect(await of.status('b')).toMatchObject({ state: 'STOPPED', exit_count: 0 })
    expect(of.program.output).not.toMatch(/companion=b pid=|runs as b/)
  })

  it('does not keep the manager from stopping', async () => {
    const of = await begin()
    of.program.signal('SIGTERM')
    await of.program.line('manager has stopped')
    expect((await of.program.ended()).code).toBe(0)
    expect(of.program.output).not.toContain('runs as')
  })

  it('is forked from that one although others are restarted meanwhile, which get newer code', async () => {
    const of = await begin()
    const again = async (): Promise<void> => {
      expect(await of.ask({ cmd: 'restart', name: 'a' })).toMatchObject({ ok: true, message: 'a restarting' })
    }
    writeFileSync(of.path('q.js'), LOADS('q2'))
    await again()
    await again()
    of.load()
    await of.program.line('q1 runs as b')
    await of.program.line('loads q2')
    of.load()
    await of.program.line('q2 runs as a')
    expect(molds(of)).toBe(2)
    expect(of.program.output).not.toMatch(/q2 runs as b|q1 runs as a/)
    expect(await of.status('b')).toMatchObject({ restart_count: 0, exit_count: 0 })
  })

  it('gets newer code without waiting for a mold that nobody else waits for', async () => {
    const of = await begin()
    await of.ask({ cmd: 'stop', name: 'b' })
    const [, first] = await of.program.line(/mold started pid=(\d+)/)
    writeFileSync(of.path('q.js'), LOADS('q2'))
    expect(await of.ask({ cmd: 'restart', name: 'a' })).toMatchObject({ ok: true })
    await of.program.line('loads q2')
    await until(() => !isAlive(Number(first)))
    of.load()
    await of.program.line('q2 runs as a')
  })
})

it('a mold is kept by commands of which nothing comes', async () => {
  const module = `exports.run = () => {
    process.on('SIGINT', () => console.log('told to stop'))
    console.log('runs as ' + process.env.MONOCEROS_COMPANION)
    return new Promise(() => setInterval(() => {}, 1000))
  }`
  const of = await manage(
    ['a', 'b'].map((name) => ({ name, target: './q.js:run', stopSignal: 'SIGINT', stopTimeout: '1h' })),
    { 'q.js': module },
    PRELOAD,
  )
  const mold = await moldOf(of)
  const { pid } = await of.become('b', 'RUNNING')
  await of.program.line('runs as a')
  await of.become('a', 'RUNNING')
  expect(await of.ask({ cmd: 'start', name: 'a' })).toMatchObject({ message: 'a already running' })
  await of.ask({ cmd: 'stop', name: 'a' })
  await of.program.line('told to stop')
  for (const cmd of ['start', 'restart'])
    expect(await of.ask({ cmd, name: 'a' })).toMatchObject({ ok: false, error: 'a is stopping; retry' })
  const at = of.program.mark()
  process.kill(pid!, 'SIGKILL')
  await of.program.line('runs as b', at)
  expect(isAlive(mold)).toBe(true)
  expect(molds(of)).toBe(1)
  process.kill((await of.status('a')).pid!, 'SIGKILL')
  await of.become('a', 'STOPPED')
})

/** The mold does nothing between being asked for `a` and `goOn`. */
async function standStill(of: Alone): Promise<{ readonly goOn: () => void }> {
  const mold = await moldOf(of)
  const { pid } = await of.become('a', 'RUNNING')
  process.kill(mold, 'SIGSTOP')
  process.kill(pid!, 'SIGKILL')
  await of.program.line(`companion left companion=a pid=${pid}`)
  await of.become('a', 'STARTING')
  return { goOn: () => process.kill(mold, 'SIGCONT') }
}

const TELLS = `exports.run = () => {
  console.log('runs as ' + process.pid)
  console.error('err of ' + process.pid)
  return new Promise(() => setInterval(() => {}, 1000))
}`

it('one that was asked of its mold and is stopped does not begin', async () => {
  const of = await manage([{ name: 'a', target: './q.js:run' }], { 'q.js': TELLS }, PRELOAD)
  const { goOn } = await standStill(of)
  await of.ask({ cmd: 'stop', name: 'a' })
  expect(await of.status('a')).toMatchObject({ state: 'STOPPED', pid: null })
  goOn()
  expect(await of.ask({ cmd: 'start', name: 'a' })).toMatchObject({ ok: true })
  const { pid } = await of.become('a', 'RUNNING')
  await of.program.line(`runs as ${pid}`)
  expect(of.program.output.match(/runs as/g)).toHaveLength(2)
})

it.each(['direct', 'pipe'])(
  'one that is born after the logs were reopened writes to the new ones (%s)',
  async (logMode) => {
    const of = await manage(
      [{ name: 'a', target: './q.js:run', stdout: 'log', stderr: 'err', logMode, restartDelay: '1s' }],
      { 'q.js': TELLS },
      PRELOAD,
    )
    const { goOn } = await standStill(of)
    const before = [of.read('log'), of.read('err')]
    for (const name of ['log', 'err']) renameSync(of.path(name), of.path(`${name}.1`))
    of.program.signal('SIGUSR1')
    await of.program.line('log files reopened')
    goOn()
    await until(() => existsSync(of.path('err')) && of.read('err') !== '')
    const { pid } = await of.status('a')
    expect([of.read('log'), of.read('err')]).toEqual([`runs as ${pid}\n`, `err of ${pid}\n`])
    expect([of.read('log.1'), of.read('err.1')]).toEqual(before)
  },
)

it('so does one that writes where monoceros itself does', async () => {
  const companions = [{ name: 'a', target: './q.js:run', restartDelay: '1ms' }]
  const files = { 'q.js': TELLS, 'c.json': JSON.stringify({ companions, companionStartsecs: 0 }) }
  const args = ['-c', 'c.json', '--preload', '--capture-output', '--error-logfile', 'log']
  const { folder, program } = serve(args, { files })
  const log = join(folder, 'log')
  const written = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  await until(() => /^runs as/m.test(written()))
  const [, mold] = /manager.*mold is quiet.* pid=(\d+)/.exec(written())!
  const [, pid] = /companion is RUNNING companion=a pid=(\d+)/.exec(written())!
  process.kill(Number(mold), 'SIGSTOP')
  process.kill(Number(pid), 'SIGKILL')
  await until(() => written().includes(`companion left companion=a pid=${pid}`))
  renameSync(log, `${log}.1`)
  program.signal('SIGUSR1')
  await until(() => written().includes('log files reopened'))
  process.kill(Number(mold), 'SIGCONT')
  await until(() => /^runs as[\s\S]*^err of/m.test(written()))
  expect(readFileSync(`${log}.1`, 'utf8').match(/^runs as/gm)).toHaveLength(1)
})
