/** The service with its logs: written through by the workers, rotated, full, unread, closed. */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { run, startMonoceros } from '../support/process.ts'

const APP = join(__dirname, 'access-app.js')
const REQUESTS = 200

test('Rotated by logrotate and USR1 no line is lost or torn, the arbiter does not grow, and pipes that nobody reads stop nothing.', async () => {
  const script = join(__dirname, '..', '..', 'benchmarks', 'logs.js')
  const { code, stdout, stderr } = await run(process.execPath, [script, '--lines', '50000', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { through, pipe } = JSON.parse(stdout)
  expect(through.printed).toEqual({ lines: 40_004, missing: 0, twice: 0, torn: 0 })
  expect(through.access).toEqual({ lines: 10_001, missing: 0, twice: 0, torn: 0 })
  expect(through.rotations).toBeGreaterThan(0)
  expect(pipe.requests).toBe(2_001)
  expect(pipe.reloads).toBeGreaterThan(0)
})

async function served(path: string): Promise<void> {
  for (let n = 0; n < REQUESTS; n += 1) expect((await ask({ path }, { path: `/${n}` })).status).toBe(200)
}

test('An access log on a full disk is reported once by its worker, and every request is answered.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const server = startMonoceros([APP, '--bind', `unix:${path}`, '--access-logfile', '/dev/full'], { cwd: folder })
  await server.line('all workers are ready')
  await served(path)
  await server.line(/warning .*ENOSPC/)
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
  expect(server.output.match(/ENOSPC/g)).toHaveLength(1)
})

test('When the reader of the log and the access log has gone, the service goes on and reloads.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(pipe, constants.O_WRONLY)
  const server = startMonoceros([APP, '--bind', `unix:${path}`, '--access-logfile', '-'], {
    cwd: folder,
    env: { XDG_RUNTIME_DIR: folder },
    stdio: ['ignore', writer, writer],
  })
  closeSync(reader)
  closeSync(writer)
  const control = join(__dirname, '..', '..', 'dist', 'cli', 'monocerosctl.js')
  const ctl = (...words: string[]) =>
    run(process.execPath, [control, ...words], { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
  for (;;) {
    const answer = await ask({ path }).catch(() => null)
    if (answer !== null) break
  }
  await served(path)
  expect(await ctl('reload')).toMatchObject({ code: 0 })
  await served(path)
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
})
