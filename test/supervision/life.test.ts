/**
 * What the cells of `lib/supervision/life.ts` come to together: ladders, what makes a process good, failures, gaps.
 */
import { deadline } from '../../lib/supervision/deadline.ts'
import type { Reason } from '../../lib/supervision/ladder.ts'
import { type Event, type Life, newLife, type Phase, step } from '../../lib/supervision/life.ts'
import { type Ms, ms, pid } from '../../lib/units.ts'
import { child, EVENTS, lifeIn, NOW, outcome, PHASES } from './support/lives.ts'
import { COMPANION, POLICY, RESTART } from './support/policy.ts'

describe('the ladders', () => {
  /** Everything that is done to a process that does not go, with the time it is given after each. */
  function ladder(start: Life, event: Event, now: Ms, policy = POLICY): string[] {
    let { life, effects } = step(start, event, now, policy)
    const rungs: string[] = []
    for (let rung = 0; rung < 4 && life.phase.kind === 'leaving'; rung++) {
      for (const effect of effects) if (effect.kind === 'signal') rungs.push(`${effect.how} ${life.phase.until - now}`)
      now = life.phase.until
      ;({ life, effects } = step(life, { kind: 'tick' }, now, policy))
    }
    return rungs
  }
  const deaf = { ...child, announced: false }
  const silent = ms(NOW + 1000)

  test.each<[string, Event, Ms, string[], string[]]>([
    ['stopped', { kind: 'stop', how: 'stop' }, NOW, ['drain 3000', 'kill 100'], ['terminate 3000', 'kill 100']],
    [
      'stopped quickly',

      { kind: 'stop', how: 'quick' },
      NOW,
      ['quit 500', 'kill 100'],
      ['terminate 500', 'kill 100'],
    ],
    ['killed', { kind: 'stop', how: 'kill' }, NOW, ['kill 100', 'kill 100'], ['kill 100', 'kill 100']],
    ['restarted', { kind: 'restart' }, NOW, ['drain 4000', 'kill 100'], ['terminate 4000', 'kill 100']],
    [
      'silent',

      { kind: 'tick' },
      silent,
      ['stack 200', 'abort 300', 'kill 100'],
      ['terminate 500', 'kill 100'],
    ],
  ])('one that is %s is made to leave step by step', (_title, event, now, announced, unannounced) => {
    const fill = (rungs: string[]) => [...rungs, ...Array<string>(4).fill('kill 100')].slice(0, 4)
    expect(ladder(lifeIn(PHASES.up), event, now)).toEqual(fill(announced))
    expect(ladder(lifeIn({ ...PHASES.up, child: deaf }), event, now)).toEqual(fill(unannounced))
  })

  test('one that hangs at boot is asked for its stack only where it hears its channel', () => {
    const due = ms(NOW + 5000)
    expect(ladder(lifeIn(PHASES.starting), { kind: 'tick' }, due)).toEqual([
      'stack 200',
      'quit 500',
      'kill 100',
      'kill 100',
    ])
    const unannounced = lifeIn({ ...PHASES.starting, child: deaf })
    expect(ladder(unannounced, { kind: 'tick' }, due)).toEqual(['terminate 500', 'kill 100', 'kill 100', 'kill 100'])
  })

  test('a harder way of stopping is taken at once, a milder one is not heard', () => {
    const leaving = (reason: Reason, height = 0) => lifeIn({ ...PHASES.leaving, reason, height })
    expect(outcome(leaving('stop'), { kind: 'stop', how: 'kill' }, NOW)).toBe('leaving down: kill 7')
    expect(outcome(leaving('quick'), { kind: 'stop', how: 'stop' }, NOW)).toBe('leaving down')
    expect(outcome(leaving('silent'), { kind: 'stop', how: 'quick' }, NOW)).toBe('leaving down')
    expect(outcome(leaving('silent'), { kind: 'stop', how: 'kill' }, NOW)).toBe('leaving down: kill 7')
    expect(outcome(leaving('stop', 1), { kind: 'stop', how: 'kill' }, NOW)).toBe('leaving down')
  })
})

describe('what makes a process good', () => {
  const probed = { ...POLICY, probe: true }

  test('one that nobody asks to say so is ready when it is spawned, and good after startsecs', () => {
    expect(outcome(lifeIn(PHASES.spawning), EVENTS.spawned, NOW, COMPANION)).toBe('proving up')
    expect(outcome(lifeIn(PHASES.spawning), EVENTS.spawned, NOW, { ...COMPANION, startsecs: ms(0) })).toBe('up up')
  })

  test('with a probe, ready and startsecs are not enough', () => {
    const ready = step(lifeIn(PHASES.starting), EVENTS.ready, ms(NOW + 10), probed).life
    expect(deadline(ready, probed)).toBe(NOW + 1010)
    expect(outcome(ready, { kind: 'tick' }, ms(NOW + 100), probed)).toBe('=')
    expect(outcome(ready, EVENTS.passed, ms(NOW + 59), probed)).toBe('proving up')
    expect(outcome(ready, EVENTS.passed, ms(NOW + 60), probed)).toBe('up up')
  })

  test('where it is to tell that it has lasted, startsecs on our clock are not enough', () => {
    const telling = { ...POLICY, waitLasted: true, silence: null }
    const ready = step(lifeIn(PHASES.starting), EVENTS.ready, ms(NOW + 10), telling).life
    expect(deadline(ready, telling)).toBe(NOW + 5060)
    expect(outcome(ready, { kind: 'tick' }, ms(NOW + 1000), telling)).toBe('=')
    expect(outcome(ready, EVENTS.lasted, ms(NOW + 1000), telling)).toBe('up up')
    // Its clock may be ahead of ours.
    const early = step(ready, EVENTS.lasted, ms(NOW + 59), telling).life
    expect([early.phase.kind, deadline(early, telling)]).toEqual(['proving', NOW + 60])
    const late = step(ready, { kind: 'tick' }, ms(NOW + 5060), telling)
    expect(late.life.phase).toMatchObject({ reason: 'hung', trouble: { kind: 'bootTimeout', wasReady: true } })
    expect(late.effects).toEqual([{ kind: 'signal', pid: 7, how: 'stack' }])
    const atOnce = { ...telling, startsecs: ms(0) }
    expect(outcome(lifeIn(PHASES.starting), EVENTS.ready, NOW, atOnce)).toBe('up up')
  })

  test('a probe that does not pass in the boot timeout ends it, and it backs off', () => {
    const patient = { ...probed, silence: null }
    const ready = step(lifeIn(PHASES.starting), EVENTS.ready, ms(NOW + 10), patient).life
    expect(deadline(ready, patient)).toBe(NOW + 5000)
    const leaving = step(ready, { kind: 'tick' }, ms(NOW + 5000), patient).life
    expect(leaving.phase).toMatchObject({ kind: 'leaving', reason: 'hung', trouble: { kind: 'bootTimeout' } })
    expect(outcome(leaving, EVENTS.exited, ms(NOW + 5100), patient)).toBe('waiting up')
  })

  test('silence is judged from ready on, not while it boots', () => {
    const slow = { ...POLICY, startsecs: ms(60_000) }
    expect(deadline(lifeIn(PHASES.starting), slow)).toBe(NOW + 5000)
    const ready = step(lifeIn(PHASES.starting), EVENTS.ready, ms(NOW + 3000), slow).life
    expect(deadline(ready, slow)).toBe(NOW + 4000)
    expect(outcome(ready, { kind: 'tick' }, ms(NOW + 4000), slow)).toBe('leaving up: stack 7')
  })
})

describe('failures', () => {
  const failing = (phase: Phase, failures: number, boots = failures): Life => ({
    ...lifeIn(phase),
    tally: { failures, boots, crashes: [], seed: 1 },
    trouble: { kind: 'silent' },
  })

  test('are carried through leaving: one that hangs at every boot waits longer each time', () => {
    let life = step(newLife(1), { kind: 'start' }, NOW, POLICY).life
    let now: number = NOW
    const waits: number[] = []
    for (let boot = 0; boot < 4; boot++) {
      life = step(life, { kind: 'spawned', pid: pid(50 + boot) }, ms(now), POLICY).life
      now += 5000
      life = step(life, { kind: 'tick' }, ms(now), POLICY).life
      expect(life.phase.kind).toBe('leaving')
      life = step(life, { ...EVENTS.exited, pid: pid(50 + boot) }, ms(now), POLICY).life
      const due = deadline(life, POLICY)!
      waits.push(due - now)
      now = due
      life = step(life, { kind: 'tick' }, ms(now), POLICY).life
    }
    expect(waits).toEqual([100, 200, 400, 800])
  })

  test('are forgotten after a stable time up, and not before', () => {
    const noisy = { ...POLICY, silence: null }
    const up = failing(PHASES.up, 3)
    expect(deadline(up, noisy)).toBe(NOW + 2000)
    expect(step(up, { kind: 'tick' }, ms(NOW + 1999), noisy).life).toBe(up)
    const stable = step(up, { kind: 'tick' }, ms(NOW + 2000), noisy).life
    expect(stable).toMatchObject({ tally: { failures: 0, boots: 0 }, trouble: null, phase: { kind: 'up' } })
    expect(deadline(stable, noisy)).toBeNull()
  })

  test('are forgotten by start, out of every phase that waits', () => {
    for (const phase of [PHASES.waiting, PHASES.failed, PHASES.exited] as const) {
      expect(step(failing(phase, 5), { kind: 'start' }, NOW, POLICY).life).toMatchObject({
        tally: { failures: 0 },
        trouble: null,
      })
    }
  })

  test('ready, then crashing again and again, waits longer each time as well', () => {
    const next = step(failing(PHASES.up, 2), EVENTS.exited, NOW, POLICY).life
    expect(next.phase).toEqual({ kind: 'waiting', until: NOW + 400 })
  })

  test('end in failed when the tries are used up, with what was wrong', () => {
    const impatient = { ...POLICY, restart: { ...RESTART, startretries: 2 } }
    const failed = step(failing(PHASES.starting, 2), EVENTS.exited, NOW, impatient).life
    expect(failed).toMatchObject({ phase: { kind: 'failed' }, trouble: { kind: 'exited', exit: { code: 1 } } })
  })

  test('an exit that was asked for is none', () => {
    const { life: leaving } = step(lifeIn(PHASES.up), { kind: 'restart' }, NOW, POLICY)
    const { life, effects } = step(leaving, EVENTS.exited, ms(NOW + 5), POLICY)
    expect(effects).toEqual([{ kind: 'spawn' }])
    expect(life).toMatchObject({ tally: { failures: 0 }, restarts: 1, exits: 1, trouble: null })
    expect(life.last).toEqual({
      pid: 7,
      exit: EVENTS.exited.exit,
      at: NOW + 5,
      lived: 5,
      told: { reason: 'restart', how: 'drain' },
      trouble: null,
    })
  })

  test('what the process said of itself is kept with its exit', () => {
    const fault = { fault: 'threw', text: 'Cannot find module' }
    const { life } = step(lifeIn(PHASES.starting), { ...EVENTS.exited, fault }, NOW, POLICY)
    expect(life.trouble).toEqual({ kind: 'exited', exit: EVENTS.exited.exit, fault })
  })
})

describe('a gap', () => {
  const gap = ms(60_000)
  const end = ms(NOW + 60_010)

  test('gives what a process was given time for as much more, and moves no mere delay', () => {
    for (const [name, phase] of Object.entries(PHASES)) {
      const life = lifeIn(phase)
      const before = deadline(life, POLICY)
      const after = deadline(step(life, { kind: 'gap', ms: gap }, end, POLICY).life, POLICY)
      expect([name, after]).toEqual([name, before === null || name === 'waiting' ? before : before + gap])
    }
  })

  test('leaves alone what happened after it, in the turn that tells of it', () => {
    const deadlineAfter = (life: Life) => deadline(step(life, { kind: 'gap', ms: gap }, end, POLICY).life, POLICY)
    const heard = step(lifeIn(PHASES.up), EVENTS.heard, end, POLICY).life
    expect(deadlineAfter(heard)).toBe(end + 1000)
    const stopped = step(lifeIn(PHASES.up), { kind: 'stop', how: 'stop' }, end, POLICY).life
    expect(deadlineAfter(stopped)).toBe(end + 3000)
    const spawned = step(lifeIn(PHASES.spawning), EVENTS.spawned, end, POLICY).life
    expect(deadlineAfter(spawned)).toBe(end + 5000)
  })
})

test('stopping in order to restart is leaving while wanted up; a stop in between wins', () => {
  const { life: leaving } = step(lifeIn(PHASES.up), { kind: 'restart' }, NOW, POLICY)
  expect(leaving).toMatchObject({ want: 'up', phase: { kind: 'leaving' } })
  const { life: stopped } = step(leaving, { kind: 'stop', how: 'stop' }, NOW, POLICY)
  expect(outcome(stopped, EVENTS.exited, NOW)).toBe('down down')
})

test('stopped while it is being spawned, it is killed as soon as it is there', () => {
  const { life } = step(lifeIn(PHASES.spawning), { kind: 'stop', how: 'stop' }, NOW, POLICY)
  expect(outcome(life, EVENTS.spawned, NOW)).toBe('leaving down: kill 8')
  expect(outcome(life, EVENTS.spawnFailed, NOW)).toBe('down down')
  expect(outcome(life, { kind: 'start' }, NOW)).toBe('spawning up')
})

test('an answer to a request that was given up is killed, and counts as one more failure', () => {
  const given = step(lifeIn(PHASES.spawning), { kind: 'tick' }, ms(NOW + 700), POLICY).life
  expect(given.trouble).toEqual({ kind: 'spawnTimeout' })
  const late = step(given, EVENTS.spawned, ms(NOW + 701), POLICY).life
  const gone = step(late, { ...EVENTS.exited, pid: pid(8) }, ms(NOW + 702), POLICY).life
  expect(gone).toMatchObject({ phase: { kind: 'waiting' }, tally: { failures: 2 } })
})
