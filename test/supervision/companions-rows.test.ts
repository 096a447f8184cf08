/**
 * Every cell of the table of `lib/supervision/companions/commands.ts`: each command in each state. A cell that has no row
 * here does not compile.
 */
import { COMMANDS, type Command, command } from '../../lib/supervision/companions/commands.ts'
import { type Companions, newCompanions, step } from '../../lib/supervision/companions.ts'
import { type StateWord, stateWord } from '../../lib/supervision/describe.ts'
import { ms, pid } from '../../lib/units.ts'
import { COMPANION } from './support/policy.ts'

const NOW = ms(5000)
const spec = {
  name: 'ticker',
  hash: 'a',
  priority: 0,
  policy: { ...COMPANION, restart: { ...COMPANION.restart, startretries: 0 } },
}
const ended = (code: number) =>
  ({ kind: 'exited', name: 'ticker', pid: pid(7), exit: { code, signal: null, core: false } }) as const

/** By events, from the beginning, into each state. */
const begun = step(newCompanions([spec], 1), { kind: 'start' }, ms(0)).companions
const starting = step(begun, { kind: 'spawned', name: 'ticker', pid: pid(7) }, ms(0)).companions
const running = step(starting, { kind: 'tick' }, NOW).companions
const ask = (from: Companions, kind: Command['kind']) => command(from, { kind, name: 'ticker' }, NOW)
const STATES = {
  STOPPED: step(ask(running, 'stop').companions, ended(0), NOW).companions,
  STARTING: starting,
  RUNNING: running,
  STOPPING: ask(running, 'stop').companions,
  BACKOFF: step(running, ended(3), NOW).companions,
  EXITED: step(running, ended(0), NOW).companions,
  FATAL: step(starting, ended(3), NOW).companions,
} satisfies { readonly [S in StateWord]: Companions }

/** The answer, the state after it, manualStop, and what is done. */
const ROWS = {
  STOPPED: {
    start: 'ok: ticker started | STARTING | moved spawn',
    stop: 'ok: ticker already stopped | STOPPED manual |',
    restart: 'ok: ticker started | STARTING | moved spawn',
  },
  STARTING: {
    start: 'ok: ticker already starting | STARTING |',
    stop: 'ok: ticker stopping | STOPPING manual | moved terminate',
    restart: 'ok: ticker restarting | STOPPING | moved terminate',
  },
  RUNNING: {
    start: 'ok: ticker already running | RUNNING |',
    stop: 'ok: ticker stopping | STOPPING manual | moved terminate',
    restart: 'ok: ticker restarting | STOPPING | moved terminate',
  },
  STOPPING: {
    start: 'refused: ticker is stopping; retry | STOPPING manual |',
    stop: 'ok: ticker already stopping | STOPPING manual |',
    restart: 'refused: ticker is stopping; retry | STOPPING manual |',
  },
  BACKOFF: {
    start: 'ok: ticker started | STARTING | moved spawn',
    stop: 'ok: ticker stopped | STOPPED manual | moved',
    restart: 'ok: ticker started | STARTING | moved spawn',
  },
  EXITED: {
    start: 'ok: ticker started | STARTING | moved spawn',
    stop: 'ok: ticker not running (EXITED) | EXITED manual |',
    restart: 'ok: ticker started | STARTING | moved spawn',
  },
  FATAL: {
    start: 'ok: ticker started | STARTING | moved spawn',
    stop: 'ok: ticker not running (FATAL) | FATAL manual |',
    restart: 'ok: ticker started | STARTING | moved spawn',
  },
} satisfies { readonly [S in StateWord]: { readonly [C in Command['kind']]: string } }

function outcome(from: Companions, kind: Command['kind']): string {
  const { companions, effects, answer } = ask(from, kind)
  const { life, manualStop } = companions.members[0]!
  const done = effects.map((effect) => ` ${effect.kind === 'signal' ? effect.how : effect.kind}`).join('')
  const said = answer.ok ? `ok: ${answer.message}` : `refused: ${answer.error}`
  return `${said} | ${stateWord(life)}${manualStop ? ' manual' : ''} |${done}`
}

describe('every command in every state of a companion', () => {
  for (const state of Object.keys(ROWS) as StateWord[]) {
    test.each(Object.entries(ROWS[state]))(`${state}, %s: %s`, (kind, expected) => {
      expect(stateWord(STATES[state].members[0]!.life)).toBe(state)
      expect(outcome(STATES[state], kind as Command['kind'])).toBe(expected)
    })
  }

  test('the table has the rows and cells that are tested here, and no others', () => {
    const shape = (table: object) => Object.entries(table).map(([state, cells]) => [state, Object.keys(cells)])
    expect(shape(COMMANDS)).toEqual(shape(ROWS))
  })
})

test('a stop has stopTimeout, a restart has reloadTimeout, then SIGKILL', () => {
  const until = (kind: Command['kind']) => ask(running, kind).companions.members[0]!.life.phase
  expect(until('stop')).toMatchObject({ until: NOW + COMPANION.gracefulTimeout })
  expect(until('restart')).toMatchObject({ until: NOW + COMPANION.restartTimeout })
})

test('start clears failures: it goes to BACKOFF again before it goes to FATAL', () => {
  const patient = { ...spec, policy: { ...COMPANION, restart: { ...COMPANION.restart, startretries: 1 } } }
  let companions = step(newCompanions([patient], 1), { kind: 'start' }, NOW).companions
  const fail = () => {
    companions = step(companions, { kind: 'spawnFailed', name: 'ticker', error: 'ENOENT' }, NOW).companions
    return stateWord(companions.members[0]!.life)
  }
  expect(fail()).toBe('BACKOFF')
  companions = ask(companions, 'start').companions
  expect(fail()).toBe('BACKOFF')
})
