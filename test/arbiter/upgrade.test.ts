/** `monocerosctl upgrade`: the arbiter replaces itself, and nobody notices. */
import { cpSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { startLoad } from '../support/load.ts'
import { type Ended, type Output, type Program, run, startNode } from '../support/process.ts'
import { childrenOf } from './service.ts'

const ROOT = join(__dirname, '..', '..')

const APP = `
require('node:http').createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => { received += chunk.length })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received, ppid: process.ppid })))
}).listen(3000)
`
const CONFIG = `module.exports = {
  companions: [{ name: 'ticker', command: ['${process.execPath}', 'ticker.js'], startsecs: 0 }],
}`
const TICKER = `setInterval(() => {}, 1000); console.log('ticker begins ' + process.pid)`

type Installed = {
  readonly program: Program
  readonly folder: string
  readonly socket: string
  /** Makes this the version that is installed. `changed`: what is put in place of what in which file of it. */
  install(version: string, changed?: readonly [file: string, from: string, to: string]): void
  ctl(...words: readonly string[]): Promise<Ended & Output>
  /** Everything that must outlive an upgrade. */
  processes(): readonly number[]
}

/** A service that was started from a folder `current`, as deployments have it. */
async function installed(args: readonly string[] = []): Promise<Installed> {
  const folder = temporaryFolder({ 'app.js': APP, 'monoceros.config.cjs': CONFIG, 'ticker.js': TICKER })
  const current = join(folder, 'current')
  const install: Installed['install'] = (version, changed) => {
    const home = join(folder, version)
    rmSync(home, { recursive: true, force: true })
    cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true })
    for (const name of ['build', 'node_modules']) symlinkSync(join(ROOT, name), join(home, name))
    const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    writeFileSync(join(home, 'package.json'), JSON.stringify({ ...about, version }))
    if (changed !== undefined) {
      const [name, from, to] = changed
      const file = join(home, 'dist', name)
      const text = readFileSync(file, 'utf8')
      expect(text).toContain(from)
      writeFileSync(file, text.replace(from, to))
    }
    rmSync(current, { force: true })
    symlinkSync(home, current)
  }
  install('1.0.0')
  const socket = join(folder, 'http.sock')
  const env = { XDG_RUNTIME_DIR: folder }
  const common = ['-b', `unix:${socket}`, '-w', '2', '--startsecs', '0', '--pid', 'arbiter.pid', '-n', 'up']
  const main = (name: string): string => join(current, 'dist', 'cli', name)
  const program = startNode(main('monoceros.js'), ['app.js', ...common, ...args], { cwd: folder, env })
  await program.line('all workers are ready')
  await program.line('ticker begins')
  const ctl = (...words: readonly string[]): Promise<Ended & Output> =>
    run(process.execPath, [join(ROOT, 'dist/cli/monocerosctl.js'), '-n', 'up', ...words], { cwd: folder, env })
  const processes = (): number[] => {
    const children = childrenOf(program.pid)
    return [...children, ...children.flatMap(childrenOf)].sort()
  }
  return { program, folder, socket, install, ctl, processes }
}

test('under load, with signals sent all the while, no request fails, no signal is lost, and every process stays', async () => {
  const { program, folder, socket, install, ctl, processes } = await installed()
  const before = processes()
  const loads = [
    startLoad({ path: socket, connections: 3, pause: 1 }),
    startLoad({ path: socket, connections: 2, keepAlive: false }),
    startLoad({ path: socket, connections: 1, method: 'POST', bytes: 100_000, pause: 5 }),
  ]
  let sending = true
  const signals = (async () => {
    let sent = 0
    for (; sending; sent++) {
      const mark = program.mark()
      program.signal('SIGUSR1')
      await program.line('received SIGUSR1', mark)
    }
    return sent
  })()
  for (const version of ['1.1.0', '1.2.0', '1.3.0', '1.3.0']) {
    install(version)
    const { code, stdout } = await ctl('upgrade')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(`version ${version} goes on where`) })
  }
  sending = false
  const sent = await signals
  expect(sent).toBeGreaterThan(4)
  expect(program.output.match(/received SIGUSR1/g)).toHaveLength(sent)
  for (const load of loads) expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
  expect(processes()).toEqual(before)
  expect(readFileSync(join(folder, 'arbiter.pid'), 'utf8')).toBe(`${program.pid}\n`)
  expect(JSON.parse((await ctl('version', '--json')).stdout).processes[0]).toMatchObject({
    pid: program.pid,
    version: '1.3.0',
  })
})

test('everything is as before: workers are kept alive, reloads and companions work, TERM ends all of it', async () => {
  const { program, socket, install, ctl, processes } = await installed()
  install('2.0.0')
  expect((await ctl('upgrade')).code).toBe(0)
  const [worker] = processes()
  let mark = program.mark()
  process.kill(worker!, 'SIGKILL')
  await program.line(/worker left .*signal=SIGKILL/, mark)
  await program.line('worker ready', mark)
  mark = program.mark()
  expect((await ctl('restart', 'ticker')).code).toBe(0)
  await program.line('ticker begins', mark)
  expect((await ctl('reload')).code).toBe(0)
  expect(JSON.parse((await ask({ path: socket })).body).ppid).toBe(program.pid)
  program.signal('SIGTERM')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s that comes while the new image boots is obeyed', async (signal) => {
  const { program, install, ctl } = await installed()
  install('2.0.0')
  const asked = ctl('upgrade')
  await program.line('makes place for version 2.0.0')
  // In every moment of it.
  const sending = setInterval(() => program.signal(signal), 1)
  await program.line('version 2.0.0 on Node').finally(() => clearInterval(sending))
  await program.line(`received ${signal}`)
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  await asked
})

test.each([
  ['does not load', ['arbiter/workers.js', '"use strict";', 'throw new Error("half installed")'], /half installed/],
  ['hands over in another form', ['arbiter/upgrade/state.js', 'STATE_PROTOCOL = 1', 'STATE_PROTOCOL = 9'], /form 1/],
  [
    'refuses the settings',
    [
      'config/load.js',
      'async function loadConfig(',
      'async function loadConfig() { return { problems: [{ key: "workers", source: { kind: "default" }, text: "are refused" }] } }\nasync function before(',
    ],
    /are refused/,
  ],
] as const)('a version that %s does not pass its trial, and nothing has changed', async (_what, changed, why) => {
  const { program, install, ctl, processes } = await installed()
  const before = processes()
  install('2.0.0', changed)
  const { code, stderr } = await ctl('upgrade')
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/the new version does not pass its trial \(exit code \d+\)/)
  expect(stderr).toMatch(why)
  expect(program.output).not.toContain('makes place')
  expect(processes()).toEqual(before)
})

test('a version that throws after the execve makes place for the one before it, which goes on', async () => {
  const { program, socket, install, ctl, processes } = await installed()
  const before = processes()
  const load = startLoad({ path: socket, connections: 3, pause: 1 })
  install('2.0.0', ['arbiter/upgrade/resume.js', 'const kernel =', 'throw new Error("cannot go on"); const kernel ='])
  const { code, stderr } = await ctl('upgrade')
  expect({ code, stderr }).toEqual({
    code: expect.any(Number),
    stderr: expect.stringContaining('did not take over; version 1.0.0 goes on'),
  })
  expect(code).not.toBe(0)
  expect(program.output).toContain('cannot go on')
  await program.line('the new version did not take over; version 1.0.0 goes on')
  expect(processes()).toEqual(before)
  // Once it is repaired, it is found where `current` leads.
  install('2.0.1')
  expect((await ctl('upgrade')).stdout).toContain('version 2.0.1 goes on')
  expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
})

test('a version that hangs after the execve is found out', async () => {
  const { program, install, ctl, processes } = await installed()
  const before = processes()
  const hang = 'process.stderr.write("hangs\\n"); for (;;) ; const kernel ='
  install('2.0.0', ['arbiter/upgrade/resume.js', 'const kernel =', hang])
  const asked = ctl('upgrade')
  await program.line(/^hangs/)
  // What its own alarm would do in a minute.
  program.signal('SIGALRM')
  expect((await asked).stderr).toContain('did not take over; version 1.0.0 goes on')
  expect(processes()).toEqual(before)
})

test('an upgrade waits for no reload, and a second one for no first', async () => {
  const { program, folder, install, ctl } = await installed(['--boot-timeout', '3s'])
  install('2.0.0')
  unlinkSync(join(folder, 'app.js'))
  writeFileSync(join(folder, 'app.js'), 'setInterval(() => {}, 1000)')
  program.signal('SIGHUP')
  await program.line('starting a new generation')
  expect((await ctl('upgrade')).stderr).toContain('a reload is under way; try again when it is over')
  await program.line('reload failed')
  const both = await Promise.all([ctl('upgrade'), ctl('upgrade')])
  const codes = both.map(({ code }) => code).sort()
  expect(codes[0]).toBe(0)
})
