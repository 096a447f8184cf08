/**
 * Every cell of the table of `lib/supervision/life.ts`: what becomes of each phase by each event. A cell that has no row
 * here does not compile.
 */
import { deadline } from '../../lib/supervision/deadline.ts'
import { type EventName, type PhaseName, TABLE } from '../../lib/supervision/life.ts'
import { ms, pid } from '../../lib/units.ts'
import { EVENTS, lifeIn, NOW, outcome, PHASES } from './support/lives.ts'
import { POLICY } from './support/policy.ts'

/** `=`: nothing changes. Else the phase, what is wanted, and the effects. A tick comes at the deadline. */
const ROWS = {
  down: {
    start: 'spawning up: spawn',
    stop: '=',
    restart: 'spawning up: spawn',
    spawned: 'leaving down: kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: '=',
    tick: '=',
    gap: '=',
  },
  spawning: {
    start: '=',
    stop: 'spawning down',
    restart: '=',
    spawned: 'starting up',
    spawnFailed: 'waiting up',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: '=',
    tick: 'waiting up: abandon',
    gap: 'spawning up',
  },
  starting: {
    start: '=',
    stop: 'leaving down: quit 7',
    restart: 'leaving up: drain 7',
    spawned: '= kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: 'proving up',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: 'waiting up',
    tick: 'leaving up: stack 7',
    gap: 'starting up',
  },
  proving: {
    start: '=',
    stop: 'leaving down: quit 7',
    restart: 'leaving up: drain 7',
    spawned: '= kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: 'proving up',
    exited: 'waiting up',
    tick: 'up up',
    gap: 'proving up',
  },
  up: {
    start: '=',
    stop: 'leaving down: quit 7',
    restart: 'leaving up: drain 7',
    spawned: '= kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: 'up up',
    exited: 'spawning up: spawn',
    tick: 'leaving up: stack 7',
    gap: 'up up',
  },
  leaving: {
    start: '=',
    stop: 'leaving down: quit 7',
    restart: '=',
    spawned: '= kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: 'spawning up: spawn',
    tick: 'leaving up: kill 7',
    gap: 'leaving up',
  },
  waiting: {
    start: 'spawning up: spawn',
    stop: 'down down',
    restart: 'spawning up: spawn',
    spawned: 'leaving up: kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: '=',
    tick: 'spawning up: spawn',
    gap: '=',
  },
  failed: {
    start: 'spawning up: spawn',
    stop: 'failed down',
    restart: 'spawning up: spawn',
    spawned: 'leaving up: kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: '=',
    tick: '=',
    gap: '=',
  },
  exited: {
    start: 'spawning up: spawn',
    stop: 'exited down',
    restart: 'spawning up: spawn',
    spawned: 'leaving down: kill 8',
    spawnFailed: '=',
    announced: '=',
    ready: '=',
    passed: '=',
    lasted: '=',
    heard: '=',
    exited: '=',
    tick: '=',
    gap: '=',
  },
} satisfies { readonly [P in PhaseName]: { readonly [E in EventName]: string } }

describe('every cell of the table of a life', () => {
  for (const phase of Object.keys(ROWS) as PhaseName[]) {
    test.each(Object.entries(ROWS[phase]))(`${phase}, %s: %s`, (name, expected) => {
      const life = lifeIn(PHASES[phase])
      const due = deadline(life, POLICY)
      const now = name === 'tick' && due !== null ? due : ms(NOW + 1)
      expect(outcome(life, EVENTS[name as EventName], now)).toBe(expected)
    })
  }

  test('the table has the rows and cells that are tested here, and no others', () => {
    const shape = (table: object) => Object.entries(table).map(([phase, cells]) => [phase, Object.keys(cells).sort()])
    expect(shape(TABLE)).toEqual(shape(ROWS))
  })

  test('a tick before the deadline changes nothing in any phase', () => {
    for (const phase of Object.values(PHASES)) {
      const life = lifeIn(phase)
      const due = deadline(life, POLICY)
      expect(outcome(life, { kind: 'tick' }, ms((due ?? NOW) - 1))).toBe('=')
    }
  })

  test('an event of another pid changes nothing in any phase', () => {
    for (const phase of Object.values(PHASES)) {
      for (const event of Object.values(EVENTS)) {
        if (!('pid' in event) || event.kind === 'spawned') continue
        expect(outcome(lifeIn(phase), { ...event, pid: pid(99) }, NOW)).toBe('=')
      }
    }
  })
})
