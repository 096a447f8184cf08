import { existsSync, readFileSync } from 'node:fs'
import { sessionMembers } from '../../lib/system/processes.ts'
import { pid } from '../../lib/units.ts'
import { descriptorsOf, isAlive, targetsOf } from '../support/proc.ts'
import { until } from '../support/until.ts'
import { manage, SLEEPER, STUBBORN } from './alone.ts'

/** The rows of the table of companions in docs/companions.md, against real processes. */
describe('a companion', () => {
  it('that is spawned is STARTING with its pid, and RUNNING when it has lived for startsecs', async () => {
    const { program, status, become } = await manage([{ name: 'a', command: SLEEPER, startsecs: '200ms' }])
    const [, first] = await program.line(/companion is STARTING companion=a pid=(\d+)/)
    expect(await become('a', 'RUNNING')).toMatchObject({
      pid: Number(first),
      restart_count: 0,
      exit_count: 0,
      manual_stop: false,
    })
    expect((await status('a')).uptime).toBeGreaterThanOrEqual(0.2)
  })

  it('that exits unexpectedly is BACKOFF, and spawned again after the delay', async () => {
    const { program, become, ask, status } = await manage([{ name: 'a', command: SLEEPER, restartDelay: '300ms' }])
    const { pid: first } = await become('a', 'RUNNING')
    process.kill(first!, 'SIGKILL')
    const waiting = await become('a', 'BACKOFF')
    expect(waiting).toMatchObject({
      pid: null,
      uptime: null,
      exit_count: 1,
      restart_count: 0,
      last_exit_signal: 'SIGKILL',
      last_exit_code: null,
    })
    expect(waiting.next_retry_in).toBeGreaterThan(0)
    expect(waiting.next_retry_in).toBeLessThanOrEqual(0.3)
    expect(waiting.exited_at).toBeGreaterThan(Date.now() / 1000 - 60)
    const again = await become('a', 'RUNNING')
    expect(again).toMatchObject({ restart_count: 1, exit_count: 1, next_retry_in: null })
    expect(again.pid).not.toBe(first)
    expect(await ask({ cmd: 'version' })).toMatchObject({ role: 'manager' })
    expect((await status('a')).state).toBe('RUNNING')
    await program.line(/companion is BACKOFF companion=a .*next="next try in/)
  })

  it('that exits before startsecs is BACKOFF whatever its code, and FATAL after startretries', async () => {
    const { become } = await manage([
      { name: 'a', command: ['true'], startretries: 2, restartDelay: '20ms', autorestart: 'never' },
    ])
    expect(await become('a', 'FATAL')).toMatchObject({
      exit_count: 3,
      last_exit_code: 0,
      reason: 'exited with code 0',
      next_retry_in: null,
    })
  })

  it('whose target does not exist is BACKOFF with the reason in status, and the manager goes on', async () => {
    const { become, program } = await manage(
      [
        { name: 'file', target: './none.js:run', restartDelay: '1h' },
        { name: 'export', target: './jobs.js:none', restartDelay: '1h' },
        { name: 'program', command: ['/no/such/program'], restartDelay: '1h' },
        { name: 'path', command: ['no-such-program'], restartDelay: '1h' },
        { name: 'folder', command: SLEEPER, cwd: '/no/such/folder', restartDelay: '1h' },
        { name: 'log', command: SLEEPER, stdout: '/no/such/folder/log', restartDelay: '1h' },
        { name: 'user', command: SLEEPER, user: 'nobody-at-all', restartDelay: '1h' },
        { name: 'fine', command: SLEEPER },
      ],
      { 'jobs.js': 'exports.run = async () => {}; exports.other = 1' },
    )
    const reason = async (name: string): Promise<string | null> => (await become(name, 'BACKOFF')).reason
    expect(await reason('file')).toMatch(/^there is no module \.\/none\.js in \/tmp/)
    expect(await reason('export')).toBe('./jobs.js has no export "none"; it has other, run')
    expect(await reason('program')).toMatch(/^could not be started: .*\/no\/such\/program.*ENOENT/)
    expect(await reason('path')).toMatch(/^could not be started: there is no program "no-such-program" in PATH/)
    expect(await reason('folder')).toMatch(/^could not be started: .*\/no\/such\/folder/)
    expect(await reason('log')).toMatch(/^could not be started: stdout: ENOENT/)
    expect(await reason('user')).toMatch(/^could not be started: user: there is no user "nobody-at-all"/)
    await become('fine', 'RUNNING')
    expect(program.stderr).not.toContain('defect')
  })

  it('that exits as expected is EXITED and stays so', async () => {
    const quick = ['sh', '-c', 'sleep 0.2; exit 3']
    const { become, ask } = await manage([
      { name: 'once', command: quick, autorestart: 'never' },
      { name: 'expected', command: quick, autorestart: 'unexpected', exitcodes: [0, 3] },
      { name: 'unexpected', command: quick, autorestart: 'unexpected', restartDelay: '1h' },
      { name: 'always', command: quick, autorestart: 'always', restartDelay: '1h' },
    ])
    expect(await become('once', 'EXITED')).toMatchObject({ last_exit_code: 3, reason: null })
    expect(await become('expected', 'EXITED')).toMatchObject({ last_exit_code: 3, reason: null })
    expect(await become('unexpected', 'BACKOFF')).toMatchObject({ last_exit_code: 3, reason: 'exited with code 3' })
    expect(await become('always', 'BACKOFF')).toMatchObject({ last_exit_code: 3 })
    expect(await ask({ cmd: 'start', name: 'once' })).toEqual({ ok: true, message: 'once started' })
    await become('once', 'EXITED')
  })
})

describe('start', () => {
  it('does nothing where it runs, and spawns at once where it does not', async () => {
    const { become, ask } = await manage([
      { name: 'run', command: SLEEPER },
      { name: 'backoff', command: ['false'], restartDelay: '1h' },
      { name: 'fatal', command: ['false'], startretries: 0 },
      { name: 'exited', command: ['sh', '-c', 'sleep 0.1'], autorestart: 'never' },
      { name: 'off', command: SLEEPER, autostart: false },
    ])
    const { pid: first } = await become('run', 'RUNNING')
    expect(await ask({ cmd: 'start', name: 'run' })).toEqual({ ok: true, message: 'run already running' })
    expect((await become('run', 'RUNNING')).pid).toBe(first)
    for (const [name, state] of [
      ['backoff', 'BACKOFF'],
      ['fatal', 'FATAL'],
      ['exited', 'EXITED'],
    ] as const) {
      const before = await become(name, state)
      expect(await ask({ cmd: 'start', name })).toEqual({ ok: true, message: `${name} started` })
      expect(await become(name, state)).toMatchObject({ exit_count: before.exit_count + 1 })
    }
    expect(await become('off', 'STOPPED')).toMatchObject({ pid: null })
    expect(await ask({ cmd: 'start', name: 'off' })).toEqual({ ok: true, message: 'off started' })
    await become('off', 'RUNNING')
  })

  it('forgets failures and clears manual_stop', async () => {
    const { become, ask } = await manage([{ name: 'a', command: SLEEPER }])
    await become('a', 'RUNNING')
    await ask({ cmd: 'stop', name: 'a' })
    expect(await become('a', 'STOPPED')).toMatchObject({ manual_stop: true })
    await ask({ cmd: 'start', name: 'a' })
    expect(await become('a', 'RUNNING')).toMatchObject({ manual_stop: false })
  })

  it('is refused while it is stopping', async () => {
    const { become, ask, program } = await manage([{ name: 'a', command: STUBBORN, stopTimeout: '400ms' }])
    await program.line('here')
    await become('a', 'RUNNING')
    await ask({ cmd: 'stop', name: 'a' })
    expect(await ask({ cmd: 'start', name: 'a' })).toEqual({ ok: false, error: 'a is stopping; retry' })
    expect(await ask({ cmd: 'restart', name: 'a' })).toEqual({ ok: false, error: 'a is stopping; retry' })
    expect(await ask({ cmd: 'stop', name: 'a' })).toEqual({ ok: true, message: 'a already stopping' })
    expect(await become('a', 'STOPPED')).toMatchObject({ last_exit_signal: 'SIGKILL' })
  })
})

describe('stop', () => {
  it('sends the stop signal, and KILL at the deadline to one that ignores it', async () => {
    const { become, ask, program } = await manage([
      {
        name: 'polite',
        command: ['sh', '-c', 'trap "exit 7" INT; echo here; while :; do sleep 0.05; done'],
        stopSignal: 'SIGINT',
      },
      { name: 'stubborn', command: STUBBORN },
    ])
    await program.lines('here', 2)
    await become('polite', 'RUNNING')
    await become('stubborn', 'RUNNING')
    expect(await ask({ cmd: 'stop', name: 'polite' })).toEqual({ ok: true, message: 'polite stopping' })
    expect(await ask({ cmd: 'stop', name: 'stubborn' })).toEqual({ ok: true, message: 'stubborn stopping' })
    expect(await become('polite', 'STOPPED')).toMatchObject({ last_exit_code: 7, manual_stop: true })
    expect(await become('stubborn', 'STOPPED')).toMatchObject({ last_exit_signal: 'SIGKILL', manual_stop: true })
  })

  it('tells what a shell has started, unless stopAsGroup is false', async () => {
    const script = (name: string) =>
      `bash -c 'trap "echo ${name} told; exit" TERM; echo here; while :; do sleep 0.02; done'; true`
    const { become, ask, program } = await manage([
      { name: 'group', command: ['bash', '-c', `trap "sleep 0.2" TERM; ${script('group')}`], stopTimeout: '9s' },
      { name: 'alone', command: ['bash', '-c', `trap "sleep 0.2" TERM; ${script('alone')}`], stopAsGroup: false },
    ])
    await program.lines('here', 2)
    for (const name of ['group', 'alone']) await become(name, 'RUNNING')
    await ask({ cmd: 'stop', name: 'all' })
    await program.line('group told')
    for (const name of ['group', 'alone']) await become(name, 'STOPPED')
    expect(program.stdout).not.toContain('alone told')
  })

  it('reaches one that is stopped by SIGSTOP', async () => {
    const { become, ask } = await manage([{ name: 'a', command: SLEEPER, stopTimeout: '1h' }])
    const { pid: of } = await become('a', 'RUNNING')
    process.kill(of!, 'SIGSTOP')
    await ask({ cmd: 'stop', name: 'a' })
    expect(await become('a', 'STOPPED')).toMatchObject({ last_exit_signal: 'SIGTERM' })
  })

  it('cancels a retry, and sets manual_stop wherever it is', async () => {
    const { become, ask } = await manage([
      { name: 'backoff', command: ['false'], restartDelay: '1h' },
      { name: 'fatal', command: ['false'], startretries: 0 },
      { name: 'exited', command: ['sh', '-c', 'sleep 0.1'], autorestart: 'never' },
    ])
    await become('backoff', 'BACKOFF')
    expect(await ask({ cmd: 'stop', name: 'backoff' })).toEqual({ ok: true, message: 'backoff stopped' })
    expect(await become('backoff', 'STOPPED')).toMatchObject({ manual_stop: true, next_retry_in: null })
    expect(await ask({ cmd: 'stop', name: 'backoff' })).toEqual({ ok: true, message: 'backoff already stopped' })
    await become('fatal', 'FATAL')
    expect(await ask({ cmd: 'stop', name: 'fatal' })).toEqual({ ok: true, message: 'fatal not running (FATAL)' })
    await become('exited', 'EXITED')
    expect(await ask({ cmd: 'stop', name: 'exited' })).toEqual({ ok: true, message: 'exited not running (EXITED)' })
    expect(await become('exited', 'EXITED')).toMatchObject({ manual_stop: true })
  })

  it('leaves nothing of what the companion has started, in whatever group it is', async () => {
    const script = 'sleep 1002 & set -m; sleep 1003 & echo here $!; trap "" TERM; wait; wait'
    const { become, ask, program } = await manage([{ name: 'a', command: ['bash', '-c', script] }])
    const [, third] = await program.line(/^here (\d+)/)
    const { pid: leader } = await become('a', 'RUNNING')
    const members = sessionMembers(new Set([pid(leader!)])).map((one) => one.pid as number)
    expect(members).toContain(Number(third))
    expect(members.length).toBeGreaterThanOrEqual(2)
    await ask({ cmd: 'stop', name: 'a' })
    await become('a', 'STOPPED')
    for (const member of members) expect(isAlive(member)).toBe(false)
  })

  it('whose companion dies by itself meanwhile ends as STOPPED', async () => {
    const script = 'trap "sleep 0.1; kill -KILL $$" TERM; echo here; while :; do sleep 0.02; done'
    const { become, ask, program } = await manage([{ name: 'a', command: ['bash', '-c', script], stopTimeout: '1h' }])
    await program.line('here')
    await become('a', 'RUNNING')
    await ask({ cmd: 'stop', name: 'a' })
    expect(await become('a', 'STOPPED')).toMatchObject({ last_exit_signal: 'SIGKILL' })
  })
})

describe('restart', () => {
  it('stops and spawns again at once, and kills one that ignores it at reloadTimeout', async () => {
    const { become, ask, program } = await manage([
      { name: 'a', command: SLEEPER, restartDelay: '1h', stopTimeout: '1h' },
      { name: 'stubborn', command: STUBBORN, restartDelay: '1h', stopTimeout: '1h' },
    ])
    await program.line('here')
    const before = [await become('a', 'RUNNING'), await become('stubborn', 'RUNNING')]
    for (const { name } of before)
      expect(await ask({ cmd: 'restart', name })).toEqual({ ok: true, message: `${name} restarting` })
    for (const { name, pid: old } of before) {
      const after = await become(name, 'RUNNING')
      expect(after.pid).not.toBe(old)
      expect(after).toMatchObject({ last_exit_signal: name === 'a' ? 'SIGTERM' : 'SIGKILL', manual_stop: false })
    }
  })

  it('spawns now what does not run, and clears manual_stop', async () => {
    const { become, ask } = await manage([
      { name: 'stopped', command: SLEEPER },
      { name: 'backoff', command: ['false'], restartDelay: '1h' },
      { name: 'fatal', command: ['false'], startretries: 0 },
      { name: 'exited', command: ['sh', '-c', 'sleep 0.1'], autorestart: 'never' },
    ])
    await become('stopped', 'RUNNING')
    await ask({ cmd: 'stop', name: 'stopped' })
    await become('stopped', 'STOPPED')
    expect(await ask({ cmd: 'restart', name: 'stopped' })).toEqual({ ok: true, message: 'stopped started' })
    expect(await become('stopped', 'RUNNING')).toMatchObject({ manual_stop: false })
    for (const [name, state] of [
      ['backoff', 'BACKOFF'],
      ['fatal', 'FATAL'],
      ['exited', 'EXITED'],
    ] as const) {
      const before = await become(name, state)
      expect(await ask({ cmd: 'restart', name })).toEqual({ ok: true, message: `${name} started` })
      expect(await become(name, state)).toMatchObject({ exit_count: before.exit_count + 1 })
    }
  })

  it('never rereads the configuration', async () => {
    const { become, ask, configure, program } = await manage([
      { name: 'a', command: ['sh', '-c', 'echo old; exec sleep 1000'] },
    ])
    await become('a', 'RUNNING')
    configure([{ name: 'a', command: ['sh', '-c', 'echo new; exec sleep 1000'] }])
    await ask({ cmd: 'restart', name: 'a' })
    await program.lines(/^old$/, 2)
    await become('a', 'RUNNING')
    expect(program.stdout).not.toContain('new')
  })
})

describe('the manager', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops all in parallel at %s, each in its own time', async (signal) => {
    const { become, program, ask } = await manage([
      {
        name: 'polite',
        command: ['sh', '-c', 'trap "echo bye; exit" TERM; echo here; while :; do sleep 0.02; done'],
        stopTimeout: '1h',
      },
      { name: 'stubborn', command: STUBBORN, stopTimeout: '200ms' },
    ])
    await program.lines('here', 2)
    const pids = [(await become('polite', 'RUNNING')).pid!, (await become('stubborn', 'RUNNING')).pid!]
    const { pid: manager } = (await ask({ cmd: 'version' })) as unknown as { pid: number }
    process.kill(manager, signal)
    await program.line(`manager is stopping how=graceful why=${signal}`)
    await program.line(`companion manager exited with code 0 pid=${manager}`)
    expect(program.output).toContain('bye')
    for (const one of pids) expect(isAlive(one)).toBe(false)
  })

  it('kills all at once at QUIT', async () => {
    const { become, program, ask } = await manage([{ name: 'a', command: STUBBORN, stopTimeout: '1h' }])
    await program.line('here')
    const { pid: of } = await become('a', 'RUNNING')
    const { pid: manager } = (await ask({ cmd: 'version' })) as unknown as { pid: number }
    process.kill(manager, 'SIGQUIT')
    await program.line(`companion manager exited with code 0 pid=${manager}`)
    expect(isAlive(of!)).toBe(false)
  })

  it('is told to stop by the arbiter, and leaves nothing behind', async () => {
    for (const [signal, command] of [
      ['SIGTERM', SLEEPER],
      ['SIGQUIT', STUBBORN],
    ] as const) {
      const { become, program, path } = await manage([{ name: 'a', command, stopTimeout: '1h' }])
      const { pid: of } = await become('a', 'RUNNING')
      program.signal(signal)
      expect(await program.ended()).toEqual({ code: 0, signal: null })
      expect(isAlive(of!)).toBe(false)
      expect([existsSync(path('m')), existsSync(path('m.lock'))]).toEqual([false, false])
    }
  })

  it('that is killed leaves none of its companions behind, and the next one has none twice', async () => {
    const script = 'sleep 1001 & echo started $$ $!; wait'
    const { become, program, ask } = await manage([
      { name: 'a', command: ['sh', '-c', script] },
      { name: 'b', command: STUBBORN },
    ])
    const [, leader, child] = await program.line(/^started (\d+) (\d+)/)
    await program.line('here')
    const { pid: stubborn } = await become('b', 'RUNNING')
    const { pid: manager } = (await ask({ cmd: 'version' })) as unknown as { pid: number }
    const mark = program.mark()
    process.kill(manager, 'SIGKILL')
    const [, again] = await program.line(/^started (\d+) (\d+)/, mark)
    for (const one of [leader, child, stubborn]) expect(isAlive(Number(one))).toBe(false)
    await program.line('manager is up', mark)
    expect((await become('a', 'RUNNING')).pid).toBe(Number(again))
    expect((await become('b', 'RUNNING')).pid).not.toBe(stubborn)
  })

  it('whose arbiter is killed kills all sessions and ends', async () => {
    const script = 'trap "" TERM; sleep 1001 & echo started $$ $!; while :; do wait; done'
    const { become, program, ask } = await manage([{ name: 'a', command: ['sh', '-c', script], stopTimeout: '1h' }])
    const [, leader, child] = await program.line(/^started (\d+) (\d+)/)
    await become('a', 'RUNNING')
    const { pid: manager } = (await ask({ cmd: 'version' })) as unknown as { pid: number }
    program.signal('SIGKILL')
    await program.line('manager has stopped')
    await until(() => ![leader, child, manager].some((one) => isAlive(Number(one))))
  })

  it('ends everything, with the companion’s code, when one is FATAL whose onFatal is exit', async () => {
    const { program } = await manage([
      { name: 'needed', command: ['sh', '-c', 'exit 42'], startretries: 1, restartDelay: '20ms', onFatal: 'exit' },
      { name: 'other', command: SLEEPER },
    ])
    expect(await program.ended()).toEqual({ code: 42, signal: null })
    expect(program.stderr).toMatch(/companion needed is FATAL and its onFatal is exit: exited with code 42/)
  })

  it('starts by ascending priority and stops by descending', async () => {
    const { program, become } = await manage([
      { name: 'last', command: SLEEPER, priority: 30 },
      { name: 'first', command: SLEEPER, priority: 10 },
      { name: 'middle', command: SLEEPER, priority: 20 },
    ])
    const order = async (state: string): Promise<(string | undefined)[]> =>
      (await program.lines(new RegExp(`companion is ${state} companion=(\\w+)`), 3)).map(([, name]) => name)
    expect(await order('STARTING')).toEqual(['first', 'middle', 'last'])
    for (const name of ['first', 'middle', 'last']) await become(name, 'RUNNING')
    program.signal('SIGTERM')
    expect(await order('STOPPING')).toEqual(['last', 'middle', 'first'])
  })
})

describe('what a companion holds', () => {
  it('is its own 0, 1 and 2, and nothing of the arbiter or the manager', async () => {
    const { program, become } = await manage([{ name: 'a', command: SLEEPER, stdout: 'out', stderr: 'stdout' }])
    const { pid: of } = await become('a', 'RUNNING')
    const file = expect.stringMatching(/\/out$/)
    // While it starts, the dynamic linker has its files open.
    await until(() => targetsOf(of!).length === 3)
    expect(descriptorsOf(of!)).toEqual([
      { fd: 0, target: '/dev/null' },
      { fd: 1, target: file },
      { fd: 2, target: file },
    ])
    expect(readFileSync(`/proc/${of}/status`, 'utf8')).toMatch(/SigBlk:\s+0+\nSigIgn:\s+0+\n/)
    expect(program.stderr).not.toContain('defect')
  })

  it('for a target is that, its channel, and what Node opens', async () => {
    const stays = `console.log('loaded'); setInterval(() => {}, 1e6)`
    const { become, read } = await manage(
      [
        { name: 'a', target: './jobs.js:run', stdout: 'a.log', stderr: 'stdout' },
        { name: 'node', command: [process.execPath, '-e', stays], stdout: 'node.log', stderr: 'stdout' },
      ],
      { 'jobs.js': `exports.run = () => new Promise(() => { ${stays} })` },
    )
    const held = async (name: string): Promise<string[]> => {
      const { pid: of } = await become(name, 'RUNNING')
      await until(() => read(`${name}.log`) === 'loaded\n')
      return targetsOf(of!)
        .map((link) => link.replace(/:\[\d+\]$|\w+\.log$/, ''))
        .sort()
    }
    const bare = await held('node')
    expect(bare).not.toContain('socket')
    expect(await held('a')).toEqual([...bare, 'socket'].sort())
  })
})
