/**
 * Every cell of the table of `lib/supervision/pool.ts`: each command in each mode. A cell that has no row here does not
 * compile.
 */
import { type Event, type Mode, newPool, type Pool, step, TABLE } from '../../lib/supervision/pool.ts'
import { ms, pid } from '../../lib/units.ts'
import { POOL as policy } from './support/policy.ts'

const NOW = ms(1000)
const key = { generation: 1, slot: 0, relief: 0 }

const after = (pool: Pool, ...events: Event[]): Pool =>
  events.reduce((before, event) => step(before, event, NOW, policy).pool, pool)
const gone: Event = { kind: 'exited', key, pid: pid(7), exit: { code: 0, signal: null, core: false } }
const running = after(
  newPool(1, 1),
  { kind: 'start' },
  { kind: 'spawned', key, pid: pid(7) },
  { kind: 'announced', key, pid: pid(7) },
  { kind: 'ready', key, pid: pid(7) },
)

const MODES = {
  idle: newPool(1, 1),
  running,
  drained: after(running, { kind: 'drain' }, gone),
  stopping: after(running, { kind: 'stop', how: 'graceful' }),
  stopped: after(running, { kind: 'stop', how: 'graceful' }, gone),
} satisfies { readonly [M in Mode]: Pool }

const COMMANDS = {
  start: { kind: 'start' },
  scale: { kind: 'scale', to: 2 },
  scaleBy: { kind: 'scaleBy', by: 2 },
  reload: { kind: 'reload' },
  stop: { kind: 'stop', how: 'quick' },
  drain: { kind: 'drain' },
  retire: { kind: 'retire', key },
} satisfies { readonly [C in keyof (typeof TABLE)['idle']]: Extract<Event, { kind: C }> }

/** The mode and size after it, and what is done. */
const ROWS = {
  idle: {
    start: 'running 1: spawn 1:0',
    scale: 'idle 2:',
    scaleBy: 'idle 3:',
    reload: 'idle 1: reloading 1, reloadFailed 1',
    stop: 'stopped 1: emptied',
    drain: 'drained 1: drained',
    retire: 'idle 1:',
  },
  running: {
    start: 'running 1:',
    scale: 'running 2: spawn 1:1',
    scaleBy: 'running 3: spawn 1:1, spawn 1:2',
    reload: 'running 1: reloading 2, spawn 2:0',
    stop: 'stopping 1: quit',
    drain: 'drained 1: drain',
    retire: 'running 1: spawn 1:0',
  },
  drained: {
    start: 'running 1: spawn 2:0',
    scale: 'running 2: spawn 2:0, spawn 2:1',
    scaleBy: 'running 2: spawn 2:0, spawn 2:1',
    reload: 'running 1: reloading 2, spawn 2:0',
    stop: 'stopped 1: emptied',
    drain: 'drained 1:',
    retire: 'drained 1:',
  },
  stopping: {
    start: 'stopping 1:',
    scale: 'stopping 1:',
    scaleBy: 'stopping 1:',
    reload: 'stopping 1: reloading 2, reloadFailed 2',
    stop: 'stopping 1: quit',
    drain: 'stopping 1:',
    retire: 'stopping 1:',
  },
  stopped: {
    start: 'running 1: spawn 2:0',
    scale: 'stopped 1:',
    scaleBy: 'stopped 1:',
    reload: 'stopped 1: reloading 2, reloadFailed 2',
    stop: 'stopped 1:',
    drain: 'stopped 1:',
    retire: 'stopped 1:',
  },
} satisfies { readonly [M in Mode]: { readonly [C in keyof typeof COMMANDS]: string } }

function outcome(pool: Pool, event: Event): string {
  const given = step(pool, event, NOW, policy)
  const done = given.effects.flatMap((effect) => {
    if (effect.kind === 'moved') return []
    if (effect.kind === 'spawn') return [`spawn ${effect.key.generation}:${effect.key.slot}`]
    if (effect.kind === 'signal') return [effect.how]
    return ['generation' in effect ? `${effect.kind} ${effect.generation}` : effect.kind]
  })
  return `${given.pool.mode} ${given.pool.size}:${done.length > 0 ? ` ${done.join(', ')}` : ''}`
}

describe('every command in every mode of a pool', () => {
  for (const mode of Object.keys(ROWS) as Mode[]) {
    test.each(Object.entries(ROWS[mode]))(`${mode}, %s: %s`, (command, expected) => {
      expect(MODES[mode].mode).toBe(mode)
      expect(outcome(MODES[mode], COMMANDS[command as keyof typeof COMMANDS])).toBe(expected)
    })
  }

  test('the table has the rows and cells that are tested here, and no others', () => {
    const shape = (table: object) => Object.entries(table).map(([mode, cells]) => [mode, Object.keys(cells)])
    expect(shape(TABLE)).toEqual(shape(ROWS))
  })
})

test('the size stays between 1 and the largest', () => {
  expect(after(running, { kind: 'scale', to: 0 }).size).toBe(1)
  expect(after(running, { kind: 'scale', to: -5 }).size).toBe(1)
  expect(after(running, { kind: 'scale', to: 99 }).size).toBe(4)
  expect(
    after(running, { kind: 'scaleBy', by: 1 }, { kind: 'scaleBy', by: -1 }, { kind: 'scaleBy', by: -1 }).size,
  ).toBe(1)
})

test('a sign of life changes one member and nothing else, and a strange key nothing at all', () => {
  const { pool, effects } = step(running, { kind: 'heard', key, pid: pid(7) }, ms(1500), policy)
  expect(effects).toEqual([])
  expect(pool).toEqual({ ...running, members: [{ ...running.members[0]!, life: expect.anything() }] })
  expect(step(running, { kind: 'heard', key: { ...key, slot: 3 }, pid: pid(7) }, NOW, policy).pool).toBe(running)
})
