import {
  durationWords,
  endedWords,
  exitWords,
  nextWords,
  type StateWord,
  stateWord,
  troubleWords,
} from '../../lib/supervision/describe.ts'
import type { PhaseName } from '../../lib/supervision/life.ts'
import type { Ended, Trouble } from '../../lib/supervision/trouble.ts'
import { ms, pid } from '../../lib/units.ts'
import { lifeIn, NOW, PHASES } from './support/lives.ts'

const exit = (signal: NodeJS.Signals | null, core = false) => ({ code: signal === null ? 1 : null, signal, core })
const ended = (facts: Partial<Ended>): Ended => ({
  pid: pid(7),
  exit: exit(null),
  at: NOW,
  lived: ms(5),
  told: null,
  trouble: null,
  ...facts,
})

test('states are said in the words of supervisord', () => {
  const words = {
    down: 'STOPPED',
    spawning: 'STARTING',
    starting: 'STARTING',
    proving: 'STARTING',
    up: 'RUNNING',
    leaving: 'STOPPING',
    waiting: 'BACKOFF',
    failed: 'FATAL',
    exited: 'EXITED',
  } satisfies { readonly [P in PhaseName]: StateWord }
  for (const [phase, word] of Object.entries(words)) expect(stateWord(lifeIn(PHASES[phase as PhaseName]))).toBe(word)
  expect(stateWord({ ...lifeIn(PHASES.spawning), want: 'down' })).toBe('STOPPING')
})

test.each<[string, Parameters<typeof endedWords>]>([
  ['exited with code 1', [ended({})]],
  ['was killed by SIGSEGV (core dumped)', [ended({ exit: exit('SIGSEGV', true) })]],
  ['was killed by SIGKILL, not sent by monoceros (out of memory?)', [ended({ exit: exit('SIGKILL') })]],
  ['was killed by SIGKILL: out of memory', [ended({ exit: exit('SIGKILL') }), 'out of memory']],
  ['was killed by SIGTERM, sent by process 4 of user 0', [ended({ exit: exit('SIGTERM') }), { pid: 4, uid: 0 }]],
  [
    'was killed by SIGTERM as it was told',
    [ended({ exit: exit('SIGTERM'), told: { reason: 'stop', how: 'terminate' } })],
  ],
  ['was killed by SIGUSR1, not sent by monoceros', [ended({ exit: exit('SIGUSR1') })]],
  ['was killed by SIGKILL as it was told', [ended({ exit: exit('SIGKILL'), told: { reason: 'kill', how: 'kill' } })]],
  [
    'was killed by SIGKILL as it was told, and had not left in time',
    [ended({ exit: exit('SIGKILL'), told: { reason: 'stop', how: 'kill' } })],
  ],
  [
    'was killed by SIGABRT (core dumped) because it gave no sign of life',
    [ended({ exit: exit('SIGABRT', true), told: { reason: 'silent', how: 'abort' }, trouble: { kind: 'silent' } })],
  ],
])('an exit reads: %s', (expected, facts) => {
  expect(endedWords(...facts)).toBe(expected)
})

test.each<[string, Trouble]>([
  ['exited with code 1', { kind: 'exited', exit: exit(null), fault: null }],
  ['Cannot find module', { kind: 'exited', exit: exit(null), fault: { fault: 'threw', text: 'Cannot find module' } }],
  ['could not be started: ENOENT', { kind: 'spawnFailed', error: 'ENOENT', fault: null }],
  ['was not started in time', { kind: 'spawnTimeout' }],
  ['was not ready in time (bootTimeout)', { kind: 'bootTimeout' }],
  ['was ready, but then blocked its event loop for bootTimeout', { kind: 'bootTimeout', wasReady: true }],
  ['gave no sign of life', { kind: 'silent' }],
])('what was wrong reads: %s', (expected, trouble) => {
  expect(troubleWords(trouble)).toBe(expected)
})

test('what comes next is said', () => {
  const tally = { failures: 3, boots: 0, crashes: [], seed: 1 }
  const next = (phase: PhaseName) => nextWords({ ...lifeIn(PHASES[phase]), tally }, NOW)
  expect(next('waiting')).toBe('next try in 800 ms (3 failures in a row)')
  expect(next('failed')).toBe('given up after 3 failures in a row')
  expect(next('spawning')).toBe('another one is started now')
  expect(next('exited')).toBe('no other one is wanted')
  expect(next('down')).toBe('it stays down')
})

test('durations are said in the unit that suits them', () => {
  expect([0.4, 250, 1000, 5040, 119_000, 120_000].map(durationWords)).toEqual([
    '0 ms',
    '250 ms',
    '1 s',
    '5 s',
    '119 s',
    '2 min',
  ])
  expect(exitWords(exit('SIGHUP'))).toBe('was killed by SIGHUP')
})
