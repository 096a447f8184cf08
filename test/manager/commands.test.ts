import { ask } from '../../lib/control/client.ts'
import type { Answer } from '../../lib/control/protocol.ts'
import { until } from '../support/until.ts'
import { manage, SLEEPER, STUBBORN } from './alone.ts'

const NOISY = [
  'sh',
  '-c',
  'for s in HUP USR1 INT; do trap "echo got $s" $s; done; echo here; while :; do sleep 0.02; done',
]

describe('a command', () => {
  it('for several companions answers for each of them, and is refused where one refuses', async () => {
    const {
      ask: question,
      become,
      program,
    } = await manage([
      { name: 'w', command: SLEEPER, numprocs: 2 },
      { name: 'stubborn', command: STUBBORN, stopTimeout: '1h' },
    ])
    await program.line('here')
    for (const name of ['w:0', 'w:1', 'stubborn']) await become(name, 'RUNNING')
    expect(await question({ cmd: 'stop', name: 'w:*' })).toEqual({
      ok: true,
      results: [
        { ok: true, name: 'w:1', message: 'w:1 stopping' },
        { ok: true, name: 'w:0', message: 'w:0 stopping' },
      ],
    })
    await become('w:0', 'STOPPED')
    await become('w:1', 'STOPPED')
    await question({ cmd: 'stop', name: 'stubborn' })
    expect(await question({ cmd: 'start', name: 'all' })).toMatchObject({
      ok: false,
      error: '1 of 3 refused: stubborn is stopping; retry',
      results: [{ ok: true, message: 'w:0 started' }, { ok: true }, { ok: false }],
    })
    program.signal('SIGQUIT')
    await program.ended()
  })

  it('for nobody names those that there are', async () => {
    const { ask: question } = await manage([{ name: 'a', command: SLEEPER }])
    for (const cmd of ['start', 'stop', 'restart', 'why', 'tail', 'status'])
      expect(await question({ cmd, name: 'b' })).toEqual({ ok: false, error: 'no companion is named "b": there are a' })
    expect(await question({ cmd: 'wait', name: 'b', state: 'RUNNING' })).toMatchObject({ ok: false })
    expect(await question({ cmd: 'signal', name: 'b', signal: 'HUP' })).toMatchObject({ ok: false })
  })

  it('that is not known, or has a key too many, changes nothing', async () => {
    const { ask: question, status, become } = await manage([{ name: 'a', command: SLEEPER }])
    await become('a', 'RUNNING')
    expect(await question({ cmd: 'stopp', name: 'a' })).toMatchObject({
      ok: false,
      error: expect.stringContaining('unknown command "stopp"'),
    })
    expect(await question({ cmd: 'stop', name: 'a', now: true })).toEqual({
      ok: false,
      error: 'unknown key "now": "stop" takes name',
    })
    expect((await status('a')).state).toBe('RUNNING')
  })
})

describe('signal', () => {
  it('is sent by name, with or without SIG', async () => {
    const { ask: question, program } = await manage([{ name: 'a', command: NOISY }])
    await program.line('here')
    expect(await question({ cmd: 'signal', name: 'a', signal: 'HUP' })).toEqual({ ok: true, message: 'a sent SIGHUP' })
    await program.line('got HUP')
    await question({ cmd: 'signal', name: 'a', signal: 'sigusr1' })
    await program.line('got USR1')
  })

  it('is refused by number, by a name that is none, and where nothing runs', async () => {
    const { ask: question, become } = await manage([{ name: 'a', command: SLEEPER }])
    for (const signal of ['1', 'NONE', 'SIGSIGHUP', '__proto__'])
      expect(await question({ cmd: 'signal', name: 'a', signal })).toEqual({
        ok: false,
        error: `"signal" must be the name of a signal, such as HUP, not "${signal}"`,
      })
    await question({ cmd: 'stop', name: 'a' })
    await become('a', 'STOPPED')
    expect(await question({ cmd: 'signal', name: 'a', signal: 'HUP' })).toEqual({
      ok: false,
      error: 'a is not running',
    })
  })
})

describe('wait', () => {
  it('answers at once, when the state comes, or at the timeout', async () => {
    const { ask: question, become } = await manage([
      { name: 'a', command: SLEEPER, startsecs: '300ms' },
      { name: 'off', command: SLEEPER, autostart: false },
    ])
    expect(await question({ cmd: 'wait', name: 'a', state: 'RUNNING' })).toEqual({ ok: true, message: 'a RUNNING' })
    expect(await question({ cmd: 'wait', name: 'a', state: 'RUNNING', timeout: 0 })).toMatchObject({ ok: true })
    expect(await question({ cmd: 'wait', name: 'all', state: 'RUNNING', timeout: 0.05 })).toEqual({
      ok: false,
      error: 'off is STOPPED: not RUNNING after 0.05 s',
    })
    const waiting = question({ cmd: 'wait', name: 'off', state: 'RUNNING' })
    await question({ cmd: 'start', name: 'off' })
    expect(await waiting).toEqual({ ok: true, message: 'off RUNNING' })
    await become('off', 'RUNNING')
  })

  it('refuses a state that supervisord does not have', async () => {
    const { ask: question } = await manage([{ name: 'a', command: SLEEPER }])
    expect(await question({ cmd: 'wait', name: 'a', state: 'UP' })).toMatchObject({
      error: '"state" must be one of STOPPED, STARTING, RUNNING, STOPPING, BACKOFF, EXITED, FATAL, not "UP"',
    })
  })
})

describe('why', () => {
  const why = async (
    question: (asked: { cmd: string; name: string }) => Promise<Answer>,
    name: string,
  ): Promise<string> => String(((await question({ cmd: 'why', name })) as { text?: string }).text)

  it('says how and when it ended, what comes next, and what it last said', async () => {
    const script = 'echo old >&2; sleep 0.1; echo "cannot reach the queue" >&2; exit 3'
    const { ask: question, become } = await manage([
      { name: 'a', command: ['sh', '-c', script], stderr: 'log', restartDelay: '1h' },
    ])
    await become('a', 'BACKOFF')
    const text = await why(question, 'a')
    expect(text).toMatch(/^a is BACKOFF\.\nProcess \d+ exited with code 3, \d+ ms ago, after \d+ ms\.\nNext try in /)
    expect(text).toMatch(/Its last lines on stderr:\n {2}old\n {2}cannot reach the queue$/)
    expect(await question({ cmd: 'why', name: 'a' })).toMatchObject({
      last_exit_code: 3,
      last_exit_signal: null,
      core: false,
      out_of_memory: false,
      reason: 'exited with code 3',
    })
  })

  it('tells whose signal it was', async () => {
    const {
      ask: question,
      become,
      program,
    } = await manage([
      { name: 'stopped', command: SLEEPER },
      { name: 'asked', command: SLEEPER, restartDelay: '1h' },
      { name: 'other', command: SLEEPER, restartDelay: '1h' },
      { name: 'stubborn', command: STUBBORN },
    ])
    await program.line('here')
    for (const name of ['stopped', 'asked', 'other', 'stubborn']) await become(name, 'RUNNING')
    expect(await why(question, 'other')).toMatch(
      /^other is RUNNING\.\nIt has never ended\.\nProcess \d+ is there now\.$/,
    )
    await question({ cmd: 'stop', name: 'stopped' })
    await question({ cmd: 'stop', name: 'stubborn' })
    await question({ cmd: 'signal', name: 'asked', signal: 'ABRT' })
    process.kill((await become('other', 'RUNNING')).pid!, 'SIGKILL')
    await become('stopped', 'STOPPED')
    expect(await why(question, 'stopped')).toContain('was killed by SIGTERM as it was told')
    await become('asked', 'BACKOFF')
    expect(await why(question, 'asked')).toMatch(
      /was killed by SIGABRT( \(core dumped\))?, sent by the command "signal"/,
    )
    await become('other', 'BACKOFF')
    expect(await why(question, 'other')).toContain('was killed by SIGKILL, not sent by monoceros')
    await become('stubborn', 'STOPPED')
    expect(await why(question, 'stubborn')).toContain('and had not left in time')
  })

  it('has the error of a target that threw, with its stack on stderr', async () => {
    const { ask: question, become } = await manage(
      [
        { name: 'threw', target: './jobs.js:threw', stderr: 'log', restartDelay: '1h' },
        { name: 'returned', target: './jobs.js:returned', restartDelay: '1h' },
        { name: 'module', target: './broken.mjs:run', restartDelay: '1h' },
      ],
      {
        'jobs.js': `exports.threw = async () => { throw new TypeError('no queue\\nat all') }
                    exports.returned = () => { setInterval(() => {}, 1e6) }`,
        'broken.mjs': 'export const run = () => {}; undefined.nothing',
      },
    )
    expect((await become('threw', 'BACKOFF')).reason).toBe('TypeError: no queue')
    const text = await why(question, 'threw')
    expect(text).toContain('exited with code 1')
    expect(text).toMatch(/TypeError: no queue\n {2}at all\n {6}at exports\.threw/)
    expect(await become('returned', 'BACKOFF')).toMatchObject({
      last_exit_code: 0,
      reason: 'ended because ./jobs.js:returned returned although it has left something open (Timeout)',
    })
    expect((await become('module', 'BACKOFF')).reason).toMatch(/^TypeError: Cannot read properties of undefined/)
  })
})

describe('a companion that never stops writing and clients that never read', () => {
  it('delay neither a reap nor another client', async () => {
    const {
      ask: question,
      become,
      socket,
      status,
    } = await manage([
      { name: 'noise', command: ['sh', '-c', 'exec yes'], stdout: '/dev/null', logMode: 'pipe' },
      { name: 'a', command: SLEEPER },
    ])
    await become('noise', 'RUNNING')
    const { connect } = await import('node:net')
    const silent = Array.from({ length: 100 }, () => connect(socket))
    for (const one of silent)
      one
        .pause()
        .on('error', () => {})
        .write('{"cmd":"status"}\n'.repeat(100))
    const { pid } = await become('a', 'RUNNING')
    process.kill(pid!, 'SIGKILL')
    await until(async () => (await status('a')).restart_count === 1)
    expect((await become('a', 'RUNNING')).pid).not.toBe(pid)
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(socket, { cmd: 'version' })))
    expect(answers.every(({ ok }) => ok)).toBe(true)
    expect(await question({ cmd: 'stop', name: 'noise' })).toMatchObject({ ok: true })
    await become('noise', 'STOPPED')
    for (const one of silent) one.destroy()
  })
})
