/** `monocerosctl upgrade`: the arbiter replaces itself, and nobody notices. */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../support/http.ts'
import { startLoad } from '../support/load.ts'
import { descriptorsOf } from '../support/proc.ts'
import type { Program } from '../support/process.ts'
import { until } from '../support/until.ts'
import { installed } from './installed.ts'

/** Sends each signal when the one before was obeyed, so that none may merge with another, until it is told to end. */
function signalling(program: Program, rounds: readonly (readonly [signal: NodeJS.Signals, answer: string])[]) {
  let sending = true
  const sent: Record<string, number> = {}
  const all = (async () => {
    while (sending) {
      for (const [signal, answer] of rounds) {
        const mark = program.mark()
        program.signal(signal)
        sent[signal] = (sent[signal] ?? 0) + 1
        await program.line(answer, mark)
      }
    }
    return sent
  })()
  return {
    end() {
      sending = false
      return all
    },
  }
}

test('under load, with signals sent all the while, no request fails, no signal is lost, and every process stays', async () => {
  const { program, folder, socket, ctl, upgrade, processes } = await installed()
  const before = processes()
  const loads = [
    startLoad({ path: socket, connections: 3, pause: 1 }),
    startLoad({ path: socket, connections: 2, keepAlive: false }),
    startLoad({ path: socket, connections: 1, method: 'POST', bytes: 100_000, pause: 5 }),
  ]
  const senders = [
    signalling(program, [['SIGUSR1', 'received SIGUSR1']]),
    signalling(program, [
      ['SIGTTIN', 'worker ready'],
      ['SIGTTOU', 'worker left'],
    ]),
  ]
  const descriptors: number[] = []
  for (const version of ['1.1.0', '1.2.0', '1.3.0', '1.3.0']) {
    await upgrade(version)
    descriptors.push(descriptorsOf(program.pid).length)
  }
  const sent = Object.assign({}, ...(await Promise.all(senders.map((sender) => sender.end()))))
  for (const [signal, count] of Object.entries<number>(sent)) {
    expect(count).toBeGreaterThan(0)
    expect(program.output.match(new RegExp(`received ${signal}`, 'g'))).toHaveLength(count)
  }
  for (const load of loads) expect(await load.stop()).toMatchObject({ failures: {}, samples: [] })
  // Whoever TTIN has started, TTOU has ended.
  await until(() => processes().length === before.length)
  expect(processes()).toEqual(before)
  expect(readFileSync(join(folder, 'arbiter.pid'), 'utf8')).toBe(`${program.pid}\n`)
  expect(JSON.parse((await ctl('version', '--json')).stdout).processes[0]).toMatchObject({
    pid: program.pid,
    version: '1.3.0',
  })
})

test('everything is as before: workers are kept alive, reloads and companions work, TERM ends all of it', async () => {
  const { program, socket, ctl, upgrade, workers } = await installed()
  await upgrade('2.0.0')
  const [worker] = await workers()
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
  [
    'hands over in another form',
    ['arbiter/upgrade/state.js', 'STATE_PROTOCOL = ', 'STATE_PROTOCOL = 9 + '],
    /in form [0-9.]+, 2.0.0 reads/,
  ],
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
