import { writeFileSync } from 'node:fs'
import type { Answer } from '../../lib/control/protocol.ts'
import { isAlive } from '../support/proc.ts'
import { type Alone, manage, SLEEPER, STUBBORN } from './alone.ts'

/** `status` without what changes by itself. */
async function settled({ ask }: Alone): Promise<string> {
  const answer = (await ask({ cmd: 'status' })) as Answer & { companions: object[] }
  return JSON.stringify(
    answer.companions.map((row) => ({ ...row, uptime: null, next_retry_in: null, exited_at: null })),
  )
}
const a = { name: 'a', command: SLEEPER }
const b = { name: 'b', command: SLEEPER }
const c = { name: 'c', command: SLEEPER }
const none = { added: [], removed: [], restarted: [], unchanged: [] }

describe('reread', () => {
  it('of the same configuration touches nothing', async () => {
    const alone = await manage([a, b])
    const before = [await alone.become('a', 'RUNNING'), await alone.become('b', 'RUNNING')]
    alone.configure([{ command: SLEEPER, name: 'a' }, b])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, unchanged: ['a', 'b'] })
    expect((await alone.status('a')).pid).toBe(before[0]!.pid)
    expect((await alone.status('b')).pid).toBe(before[1]!.pid)
  })

  it('starts what was added, stops what was removed, restarts what was changed', async () => {
    const alone = await manage([a, b, c])
    for (const { name } of [a, b, c]) await alone.become(name, 'RUNNING')
    const before = { b: await alone.status('b'), c: await alone.status('c') }
    alone.configure([{ ...b, env: { NEW: '1' } }, c, { name: 'd', command: SLEEPER }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({
      ok: true,
      added: ['d'],
      removed: ['a'],
      restarted: ['b'],
      unchanged: ['c'],
    })
    await alone.become('d', 'RUNNING')
    expect((await alone.become('b', 'RUNNING')).pid).not.toBe(before.b.pid)
    expect((await alone.status('c')).pid).toBe(before.c.pid)
    expect(await alone.ask({ cmd: 'status', name: 'a' })).toEqual({
      ok: false,
      error: 'no companion is named "a": there are b, c, d',
    })
  })

  it('keeps a removed one that ignores TERM until it was killed and reaped', async () => {
    const alone = await manage([a, { name: 'stubborn', command: STUBBORN, stopTimeout: '300ms' }])
    await alone.program.line('here')
    const { pid } = await alone.become('stubborn', 'RUNNING')
    alone.configure([a])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, removed: ['stubborn'], unchanged: ['a'] })
    expect(await alone.status('stubborn')).toMatchObject({ state: 'STOPPING', pid })
    await alone.program.line(/companion left companion=stubborn pid=\d+ signal=SIGKILL/)
    expect(isAlive(pid!)).toBe(false)
    expect(await alone.ask({ cmd: 'status', name: 'stubborn' })).toMatchObject({ ok: false })
  })

  it('starts one that was added again when the old one, still leaving, is reaped', async () => {
    const alone = await manage([{ name: 'x', command: STUBBORN, stopTimeout: '400ms' }])
    await alone.program.line('here')
    const { pid } = await alone.become('x', 'RUNNING')
    alone.configure([])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, removed: ['x'] })
    alone.configure([{ name: 'x', command: SLEEPER }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, added: ['x'] })
    expect(await alone.status('x')).toMatchObject({ state: 'STOPPING', pid })
    const after = await alone.become('x', 'RUNNING')
    expect(after.pid).not.toBe(pid)
    expect(isAlive(pid!)).toBe(false)
  })

  it('leaves one that was stopped by hand STOPPED, with its new configuration ready', async () => {
    const alone = await manage([{ name: 'a', command: ['sh', '-c', 'echo old; exec sleep 1000'] }])
    await alone.become('a', 'RUNNING')
    await alone.ask({ cmd: 'stop', name: 'a' })
    await alone.become('a', 'STOPPED')
    alone.configure([{ name: 'a', command: ['sh', '-c', 'echo new; exec sleep 1000'] }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, unchanged: ['a'] })
    expect(await alone.status('a')).toMatchObject({ state: 'STOPPED', manual_stop: true })
    await alone.ask({ cmd: 'start', name: 'a' })
    await alone.program.line(/^new$/)
  })

  it('takes a new name for another companion', async () => {
    const alone = await manage([a])
    await alone.become('a', 'RUNNING')
    alone.configure([{ ...a, name: 'z' }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, added: ['z'], removed: ['a'] })
    await alone.become('z', 'RUNNING')
  })

  it('changes the number of processes without touching the others', async () => {
    const alone = await manage([{ ...a, numprocs: 2 }])
    const first = await alone.become('a:0', 'RUNNING')
    alone.configure([{ ...a, numprocs: 3 }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, added: ['a:2'], unchanged: ['a:0', 'a:1'] })
    expect((await alone.status('a:0')).pid).toBe(first.pid)
    alone.configure([{ ...a, numprocs: 2 }])
    expect(await alone.ask({ cmd: 'reread' })).toEqual({
      ok: true,
      ...none,
      removed: ['a:2'],
      unchanged: ['a:0', 'a:1'],
    })
  })

  it('of another default changes those that it is for', async () => {
    const alone = await manage([a, { ...b, env: { WHO: 'b' }, stopTimeout: '300ms' }])
    await alone.become('a', 'RUNNING')
    alone.configure([a, { ...b, env: { WHO: 'b' }, stopTimeout: '300ms' }], { companionStopTimeout: '301ms' })
    expect(await alone.ask({ cmd: 'reread' })).toEqual({ ok: true, ...none, restarted: ['a'], unchanged: ['b'] })
  })

  it('lasts over the death of the manager', async () => {
    const alone = await manage([a])
    await alone.become('a', 'RUNNING')
    alone.configure([b])
    await alone.ask({ cmd: 'reread' })
    const { pid: manager } = (await alone.ask({ cmd: 'version' })) as unknown as { pid: number }
    const mark = alone.program.mark()
    process.kill(manager, 'SIGKILL')
    await alone.program.line('manager is up', mark)
    await alone.become('b', 'RUNNING')
    expect(await alone.ask({ cmd: 'status', name: 'a' })).toMatchObject({ ok: false })
  })

  it('comes of a HUP to the manager too', async () => {
    const alone = await manage([a])
    await alone.become('a', 'RUNNING')
    alone.configure([a, b])
    const { pid: manager } = (await alone.ask({ cmd: 'version' })) as unknown as { pid: number }
    process.kill(manager, 'SIGHUP')
    await alone.program.line('configuration taken added=b')
    await alone.become('b', 'RUNNING')
  })

  describe('of a configuration that is wrong changes nothing', () => {
    let alone: Alone
    let before: string
    beforeEach(async () => {
      alone = await manage([
        a,
        { name: 'stopped', command: SLEEPER },
        { name: 'failing', command: ['false'], restartDelay: '1h' },
      ])
      await alone.become('a', 'RUNNING')
      await alone.ask({ cmd: 'stop', name: 'stopped' })
      await alone.become('stopped', 'STOPPED')
      await alone.become('failing', 'BACKOFF')
      before = await settled(alone)
    })
    const refused = async (error: RegExp): Promise<void> => {
      const answer = await alone.ask({ cmd: 'reread' })
      expect(answer).toEqual({ ok: false, error: expect.stringMatching(error), kept_old_config: true })
      expect((answer as { error: string }).error).not.toContain('\n')
      expect(await settled(alone)).toBe(before)
    }

    it('because it is no JSON', async () => {
      writeFileSync(alone.path('c.json'), '{"companions": [')
      await refused(/c\.json/)
    })

    it('because it is gone', async () => {
      const { unlinkSync } = await import('node:fs')
      unlinkSync(alone.path('c.json'))
      await refused(/c\.json/)
    })

    it('because a name stands twice', async () => {
      alone.configure([a, a])
      await refused(/companions.*name.*"a"/)
    })

    it('because a name is missing, a key unknown or a signal wrong: all of it is told', async () => {
      alone.configure([{ command: SLEEPER }, { ...a, colour: 'red' }, { ...b, stopSignal: 'SIGNONE' }])
      await refused(/name.*colour.*stopSignal/)
    })
  })
})
