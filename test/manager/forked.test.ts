/** `target` companions that are forked from the manager's mold (`preload`). */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { entryOf, isAlive, targetsOf } from '../support/proc.ts'
import { dist } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type Alone, manage } from './alone.ts'

const PRELOAD = { preload: true, bootTimeout: '10s' }

/** Tells all that a companion may see of itself, and stays. */
const MIRROR = `
const fs = require('node:fs')
const status = () => Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\\n')
  .filter((line) => /^(Uid|Gid|Groups|SigBlk|SigIgn|PPid)/.test(line)).map((line) => line.split(':\\t')))
const kind = (fd) => { const s = fs.fstatSync(fd); return s.isFile() ? 'file' : s.isFIFO() ? 'pipe' : s.isCharacterDevice() ? 'device' : 'other' }
exports.run = () => {
  const [, , group, session] = fs.readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1).split(' ')
  const { MIRROR, ...env } = process.env
  fs.writeFileSync(MIRROR, JSON.stringify({
    pid: process.pid,
    seen: {
      leads: Number(group) === process.pid && Number(session) === process.pid,
      argv: process.argv, execArgv: process.execArgv, execPath: process.execPath, env,
      cwd: process.cwd(), umask: process.umask(), status: status(), limits: fs.readFileSync('/proc/self/limits', 'utf8'),
      kinds: [0, 1, 2].map(kind), streams: [process.stdout, process.stderr].map((one) => [one.constructor.name, one.isTTY, one.fd]),
      isParent: process.ppid === Number(/PPid:\\t(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]),
      timezone: new Date(0).getTimezoneOffset(),
    },
  }))
  fs.renameSync(MIRROR, MIRROR + '.json')
  console.log('out of ' + process.env.MONOCEROS_COMPANION)
  console.error('err of ' + process.env.MONOCEROS_COMPANION)
  process.on('SIGINT', () => { console.log('told to stop'); process.exit(3) })
  return new Promise((resolve) => setInterval(() => {}, 1000))
}`

const SETTINGS = [
  { name: 'plain' },
  { name: 'own', env: { COLOUR: 'blue', TZ: 'Asia/Tokyo' }, cwd: '/', umask: '027' },
  { name: 'file', stdout: 'file.log', stderr: 'stdout' },
  { name: 'piped', stdout: 'piped.log', stderr: 'piped.err', logMode: 'pipe' },
]

async function mirrored(preload: boolean): Promise<{ of: Alone; seen: Record<string, object> }> {
  const of = await manage(
    [{ name: 'idle', command: ['true'], autostart: false }],
    { 'mirror.js': MIRROR },
    { ...PRELOAD, preload, startsecs: 0 },
  )
  of.configure(
    SETTINGS.map((one) => ({
      ...one,
      target: of.path('mirror.js:run'),
      stopSignal: 'SIGINT',
      env: { ...one.env, MIRROR: of.path(one.name) },
    })),
  )
  expect(await of.ask({ cmd: 'reread' })).toMatchObject({ ok: true })
  const seen: Record<string, object> = {}
  for (const { name } of SETTINGS) {
    await until(() => existsSync(of.path(`${name}.json`)))
    const mirror = JSON.parse(of.read(`${name}.json`))
    expect(mirror.pid).toBe((await of.status(name)).pid)
    expect(mirror.seen).toMatchObject({ leads: true, isParent: true })
    // Of two managers, in two folders.
    const text = JSON.stringify(mirror.seen)
      .replaceAll(of.folder, 'FOLDER')
      .replaceAll(`"PPid":"${mirror.seen.status.PPid}"`, '')
    seen[name] = JSON.parse(text.replaceAll(',}', '}').replaceAll('{,', '{').replaceAll(',,', ','))
  }
  return { of, seen }
}

it('see of themselves what exec’d ones see, each with its own settings', async () => {
  const execd = await mirrored(false)
  const forked = await mirrored(true)
  expect(forked.of.program.output).toContain('companions are forked from it')
  expect(forked.of.program.output).not.toContain('not forked')
  expect(forked.seen).toEqual(execd.seen)
  expect(forked.seen.own).toMatchObject({ cwd: '/', umask: 0o27, timezone: -540, env: { COLOUR: 'blue' } })
  const { of } = forked
  await until(() => of.read('file.log') === 'out of file\nerr of file\n')
  await until(() => of.read('piped.log') === 'out of piped\n' && of.read('piped.err') === 'err of piped\n')
  await of.program.line('out of plain')
  expect(await of.ask({ cmd: 'stop', name: 'all' })).toMatchObject({ ok: true })
  for (const { name } of SETTINGS)
    expect(await of.become(name, 'STOPPED')).toMatchObject({ last_exit_code: 3, last_exit_signal: null })
  expect(of.read('file.log')).toBe('out of file\nerr of file\ntold to stop\n')
})

const STAYS = `exports.run = () => new Promise(() => setInterval(() => {}, 1000)); exports.other = exports.run`

it('hold nothing of the manager’s: no control socket, no channel, no pipe', async () => {
  const { become, status, ask } = await manage(
    [
      { name: 'a', target: './stays.js:run', stdout: 'a.log', stderr: 'stdout', logMode: 'pipe' },
      { name: 'b', target: './stays.js:run', stdout: 'b.log', stderr: 'stdout' },
    ],
    { 'stays.js': STAYS },
    PRELOAD,
  )
  for (const name of ['a', 'b']) await become(name, 'RUNNING')
  const version = await ask({ cmd: 'version' })
  const managers = targetsOf((version as unknown as { pid: number }).pid)
  const shared = managers.filter((one) => /^(socket|pipe):/.test(one))
  const [a, b] = [targetsOf((await status('a')).pid!), targetsOf((await status('b')).pid!)]
  // The pipe of its output has an end here and one there, and is the only thing.
  expect(new Set(a.filter((one) => shared.includes(one))).size).toBe(1)
  expect(b.filter((one) => shared.includes(one))).toEqual([])
  for (const own of [a, b]) {
    expect(own.filter((one) => one.startsWith('socket:')).length).toBe(1)
    expect(own.filter((one) => one.includes('anon_inode:[signalfd]') || one.includes('memfd:'))).toEqual([])
  }
  expect(a.filter((one) => one.startsWith('socket:'))).not.toEqual(b.filter((one) => one.startsWith('socket:')))
})

it.each([
  ['limits', { limits: { CORE: 0 } }, 'its limits must stand before Node starts'],
  ['another user', { user: 'nobody', cwd: '/' }, 'it runs as another user than the others'],
  ['other options for Node', { nodeOptions: ['--no-warnings'] }, 'its nodeOptions differ from the others’'],
  [
    'an inspector',
    { nodeOptions: ['--inspect=0'] },
    'it has \\"--inspect=0\\", which cannot be used with preload: the inspector would be that of all of them; the setting inspect opens one in each',
  ],
  ['NODE_OPTIONS', { env: { NODE_OPTIONS: '--no-warnings' } }, 'its NODE_OPTIONS must stand before Node starts'],
  ['LANG', { env: { LANG: 'ja_JP.UTF-8' } }, 'its LANG must stand before Node starts'],
])('are exec’d where a fork cannot give them what they are set to: %s', async (_, settings, why) => {
  const { become, program } = await manage(
    [
      { name: 'a', target: './stays.js:run' },
      { name: 'b', target: './stays.js:run' },
      { name: 'odd', target: './stays.js:other', ...settings },
    ],
    { 'stays.js': STAYS },
    PRELOAD,
  )
  await program.line(`companion is started by itself, not forked companion=odd why="${why}"`)
  for (const name of ['a', 'b']) await become(name, 'RUNNING')
  expect(program.output.match(/not forked/g)).toHaveLength(1)
})

it('have the variables that their module reads while it is loaded, and those that it sets then', async () => {
  const module = `
    const colour = process.env.COLOUR
    process.env.FROM_FILE = 'set while loading'
    for (const name of Object.keys(process.env)) if (name === 'nothing') throw new Error(name)
    exports.run = () => { console.log([process.env.NAME, colour, process.env.COLOUR, process.env.FROM_FILE].join(' ')); return new Promise(() => setInterval(() => {}, 1000)) }`
  const { program, become } = await manage(
    [
      { name: 'a', target: './colour.js:run', env: { NAME: 'a' } },
      { name: 'b', target: './colour.js:run', env: { NAME: 'b' } },
      { name: 'c', target: './colour.js:run', env: { NAME: 'c', COLOUR: 'blue' } },
    ],
    { 'colour.js': module },
    { ...PRELOAD, companionEnv: { COLOUR: 'red' } },
  )
  await program.line('a red red set while loading')
  await program.line('b red red set while loading')
  await program.line('c blue blue set while loading')
  await program.line('not forked companion=c why="its COLOUR was asked for while modules were loaded"')
  await become('c', 'RUNNING')
  expect(program.output.match(/not forked/g)).toHaveLength(1)
})

it('share no randomness, are themselves, and are forked again when they crash', async () => {
  const module = `
    const { randomUUID, randomInt, randomBytes } = require('node:crypto')
    const early = Math.random
    exports.run = () => {
      console.log(['drawn', randomUUID(), randomInt(1e12), randomBytes(8).toString('hex'), Math.random(), early()].join(' '))
      return new Promise(() => setInterval(() => {}, 1000))
    }`
  const { program, become } = await manage(
    [{ name: 'a', target: './draws.js:run', numprocs: 4 }],
    { 'draws.js': module },
    PRELOAD,
  )
  await program.lines(/^drawn /, 4)
  const { pid } = await become('a:0', 'RUNNING')
  process.kill(pid!, 'SIGKILL')
  await program.lines(/^drawn /, 5)
  const values = [...program.output.matchAll(/^drawn (.*)$/gm)].flatMap(([, line]) => line!.split(' '))
  expect(values).toHaveLength(25)
  expect(new Set(values).size).toBe(25)
  expect(await become('a:0', 'RUNNING')).toMatchObject({ restart_count: 1 })
  expect(program.output.match(/mold started/g)).toHaveLength(1)
})

/** How they end, and the exit code that Node gives then. */
const ENDS = {
  exitInExit: [`process.on('exit', () => process.exit(3)); process.exit()`, 3],
  throwInExit: [`process.on('exit', () => { throw new Error('x') }); process.exit(0)`, 0],
  throwInHandler: [`process.on('uncaughtException', () => { throw new Error('x') }); throw new Error('y')`, 7],
  throwNoStack: [`throw Object.defineProperty(new Error('x'), 'stack', { get() { throw new Error('y') } })`, 1],
  exitPatched: [
    `const leave = process.reallyExit; process.reallyExit = (code) => leave.call(process, code + 1); process.exit(6)`,
    7,
  ],
  reallyExit: ['process.reallyExit(9)', 9],
  emitExit: [`process.emit('exit', 0); process.exit(5)`, 5],
} as const

it('leave with the exit code that Node gives, however they end', async () => {
  const ends = Object.entries(ENDS)
  const module = ends.map(
    ([name, [body]]) => `exports.${name} = () => new Promise(() => setImmediate(() => { ${body} }))`,
  )
  const { become, program } = await manage(
    ends.map(([name]) => ({ name, target: `./ends.js:${name}`, autorestart: 'never', startsecs: 0 })),
    { 'ends.js': module.join('\n') },
    PRELOAD,
  )
  for (const [name, [, code]] of ends)
    expect({ name, code: (await become(name, 'EXITED')).last_exit_code }).toEqual({ name, code })
  expect(program.output).not.toContain('not forked')
})

const LOADS = (text: string): string => `
  console.log('loaded ${text} by ' + process.pid)
  exports.run = () => { console.log('${text} runs'); return new Promise(() => setInterval(() => {}, 1000)) }`

it('get a new mold with new code by restart and by reread, without a touch of the others', async () => {
  const { program, become, ask, path, status } = await manage(
    [
      { name: 'a', target: './a.js:run' },
      { name: 'b', target: './b.js:run' },
    ],
    { 'a.js': LOADS('a1'), 'b.js': LOADS('b1') },
    PRELOAD,
  )
  await program.line('a1 runs')
  const b = await become('b', 'RUNNING')
  writeFileSync(path('a.js'), LOADS('a2'))
  await become('a', 'RUNNING')
  expect(await ask({ cmd: 'restart', name: 'a' })).toMatchObject({ ok: true })
  await program.line('a2 runs')
  expect((await status('b')).pid).toBe(b.pid)
  const [, first] = await program.line(/mold started pid=(\d+)/)
  await until(() => !isAlive(Number(first)))
  writeFileSync(path('b.js'), LOADS('b2'))
  expect(await ask({ cmd: 'reread' })).toMatchObject({ ok: true, unchanged: ['a', 'b'] })
  expect((await status('b')).pid).toBe(b.pid)
  process.kill(b.pid!, 'SIGKILL')
  await program.line('b2 runs')
  expect(program.output.match(/mold started/g)).toHaveLength(3)
})

it('reopen their log files, and so does what they start', async () => {
  const module = `
    const { spawnSync } = require('node:child_process')
    exports.run = () => {
      process.on('SIGWINCH', () => { console.log('own'); spawnSync('echo', ['child'], { stdio: 'inherit' }) })
      return new Promise(() => setInterval(() => {}, 1000))
    }`
  const { program, become, read, path, ask } = await manage(
    [{ name: 'a', target: './a.js:run', stdout: 'log', stderr: 'stdout' }],
    { 'a.js': module },
    PRELOAD,
  )
  const { pid } = await become('a', 'RUNNING')
  await until(() => /SigCgt:\s*0*[0-9a-f]*[89a-f]......$/m.test(entryOf(pid!, 'status')))
  renameSync(path('log'), path('log.1'))
  program.child.kill('SIGUSR1')
  await program.line('log files reopened')
  await until(() => existsSync(path('log')))
  await ask({ cmd: 'signal', name: 'a', signal: 'WINCH' })
  await until(() => read('log') === 'own\nchild\n')
  expect(read('log.1')).toBe('')
})

it('listen where their own module said so while it was loaded, and nowhere else', async () => {
  const module = (name: string): string => `
    const server = require('node:net').createServer((s) => s.end('${name} ' + process.pid)).listen('${name}.sock')
    server.on('listening', () => console.log('${name} listens in ' + process.pid))
    exports.run = () => new Promise(() => {})`
  const { program, become } = await manage(
    [
      { name: 'a', target: './a.js:run' },
      { name: 'b', target: './b.js:run' },
    ],
    { 'a.js': module('a'), 'b.js': module('b') },
    PRELOAD,
  )
  for (const name of ['a', 'b']) {
    const { pid } = await become(name, 'RUNNING')
    await program.line(`${name} listens in ${pid}`)
  }
  expect(program.output.match(/ listens in /g)).toHaveLength(2)
})

it('run preFork in the mold and postFork in each of them, before their function', async () => {
  const module = `
    const { preFork, postFork } = require('${dist('index.js')}')
    preFork(async () => console.log('before in ' + process.pid))
    let ready = false
    postFork(async () => { await null; ready = true })
    exports.run = () => { console.log('ready ' + ready + ' in ' + process.pid); return new Promise(() => setInterval(() => {}, 1000)) }`
  const { program, become } = await manage([{ name: 'a', target: './a.js:run' }], { 'a.js': module }, PRELOAD)
  const { pid } = await become('a', 'RUNNING')
  const [, mold] = await program.line(/mold started pid=(\d+)/)
  await program.line(`before in ${mold}`)
  await program.line(`ready true in ${pid}`)
})

describe('a module that cannot be loaded is its own companion’s affair:', () => {
  const OTHERS = { 'good.js': LOADS('good') }
  const both = (settings: object, bad: string): Promise<Alone> =>
    manage(
      [
        { name: 'bad', target: './bad.js:run', startsecs: '1h', startretries: 0 },
        { name: 'good', target: './good.js:run' },
      ],
      { ...OTHERS, 'bad.js': bad },
      { ...PRELOAD, ...settings },
    )

  it('it throws', async () => {
    const { program, become } = await both({}, `throw new Error('broken on purpose')`)
    await program.line(/companion=bad why="its module could not be loaded: Error: broken on purpose"/)
    expect(await become('bad', 'FATAL')).toMatchObject({ reason: 'Error: broken on purpose' })
    await become('good', 'RUNNING')
    expect(program.output).not.toMatch(/not forked companion=good/)
  })

  it('it ends the process', async () => {
    const { program, become } = await both({}, `process.exit(9)`)
    await program.line(/companion=bad why="its mold exited with code 9 while it was loaded"/)
    expect(await become('bad', 'FATAL')).toMatchObject({ last_exit_code: 9 })
    await program.line('good runs')
    expect(program.output).not.toMatch(/not forked companion=good/)
  })

  it('it leaves a child process open: an error that names it', async () => {
    const open = `require('node:child_process').spawn('sleep', ['1000']); exports.run = () => new Promise(() => {})`
    const { program, become } = await both({ bootTimeout: '2s' }, open)
    expect(await become('bad', 'FATAL')).toMatchObject({
      reason: expect.stringMatching(/bad\.js cannot be forked: .* a child process/),
    })
    await program.line('good runs')
    expect(program.output).not.toMatch(/not forked companion=good/)
  })

  it('with preloadFallback it is exec’d, which is said', async () => {
    const open = `require('node:child_process').spawn('sleep', ['1000']); exports.run = () => new Promise(() => {})`
    const { program, become } = await both({ bootTimeout: '2s', preloadFallback: true }, open)
    await program.line(/error .*companions cannot be forked: .*bad\.js cannot be forked: .* a child process/)
    await program.line(/not forked companion=bad why=".*a child process/)
    await become('bad', 'STARTING')
    await program.line('good runs')
  })

  it('it awaits what never comes', async () => {
    const { program, become } = await both({ bootTimeout: '2s' }, `exports.run = () => {}; import('./never.mjs')`)
    // It is loaded as far as anybody can see; what it has begun never ends, and keeps nothing open.
    await become('bad', 'FATAL')
    await program.line('good runs')
    const never = await manage(
      [
        { name: 'bad', target: './never.mjs:run', startretries: 0 },
        { name: 'good', target: './good.js:run' },
      ],
      { ...OTHERS, 'never.mjs': 'await new Promise(() => {}); export const run = () => {}' },
      { ...PRELOAD, bootTimeout: '2s' },
    )
    const { reason } = await never.become('bad', 'FATAL')
    expect(reason).toContain('./never.mjs has not been loaded after 2 s')
    await never.program.line('good runs')
  })

  it('it never lets go of the processor', async () => {
    const { program, become } = await both({ bootTimeout: '1s' }, 'for (;;) {}')
    expect(await become('bad', 'FATAL')).toMatchObject({ reason: 'was not started in time' })
    await program.line('good runs')
    await become('good', 'RUNNING')
  })
})

it('outlive their mold, and the next one that is needed is forked from a new one', async () => {
  const { program, become, status } = await manage(
    [{ name: 'a', target: './a.js:run', numprocs: 2 }],
    { 'a.js': LOADS('a') },
    PRELOAD,
  )
  const [first, second] = [await become('a:0', 'RUNNING'), await become('a:1', 'RUNNING')]
  const [, mold] = await program.line(/mold is quiet.* pid=(\d+)/)
  process.kill(Number(mold), 'SIGKILL')
  await program.line(`mold was killed by SIGKILL pid=${mold}`)
  expect((await status('a:0')).pid).toBe(first.pid)
  process.kill(second.pid!, 'SIGKILL')
  await program.lines(/mold is quiet/, 2)
  await until(async () => ![null, second.pid].includes((await status('a:1')).pid))
  expect(program.output).not.toContain('not forked')
})

it.each(['1s', '10m'])('are forked from another mold when theirs does not answer (%s)', async (bootTimeout) => {
  const { program, become } = await manage(
    [{ name: 'a', target: './a.js:run', numprocs: 2 }],
    { 'a.js': LOADS('a') },
    { ...PRELOAD, bootTimeout },
  )
  const all = [await become('a:0', 'RUNNING'), await become('a:1', 'RUNNING')]
  const [, mold] = await program.line(/mold is quiet.* pid=(\d+)/)
  process.kill(Number(mold), 'SIGSTOP')
  for (const { pid } of all) process.kill(pid!, 'SIGKILL')
  await program.line(new RegExp(`warning .* mold has not answered for 2 s, and is waited for pid=${mold}`))
  await program.line(new RegExp(`error .* mold does not answer: it is ended, .* pid=${mold}`))
  await program.lines(/^a runs/, 4)
  expect(isAlive(Number(mold))).toBe(false)
  expect(program.output.match(/mold does not answer/g)).toHaveLength(1)
})
