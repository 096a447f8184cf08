/** What modules do to their process while they are loaded: in companions that are forked (`preload`) as in exec'd ones. */
import module from 'node:module'
import { type Alone, manage } from './alone.ts'

const EVENTS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'warning', 'exit']
/** Says what there is of it when its function is called, and stays. */
const SAYS = `
  const count = (event) => process.listeners(event).filter((one) => one.isOurs || one.listener?.isOurs).length
  console.log('is', process.env.MONOCEROS_COMPANION, JSON.stringify({
    events: ${JSON.stringify(EVENTS)}.flatMap((event) => Array(count(event)).fill(event)),
    catches: process.hasUncaughtExceptionCaptureCallback(), umask: process.umask(), exitCode: process.exitCode ?? null,
  }))`
const STAYS = `${SAYS}; return new Promise(() => setInterval(() => {}, 1000))`
const CJS = `const ours = (run = () => {}) => Object.assign(run, { isOurs: true }); exports.run = () => { ${STAYS} };`
const ESM = `const ours = (run = () => {}) => Object.assign(run, { isOurs: true }); export const run = () => { ${STAYS} };`

type Seen = {
  readonly events: readonly string[]
  readonly catches: boolean
  readonly umask: number
  readonly exitCode: number | null
}
type Files = Readonly<Record<string, string>>

/** A companion of each file but those that are `shared`, named by it. */
async function see(files: Files, settings: Readonly<Record<string, object>> = {}) {
  const names = Object.keys(files).filter((file) => !file.startsWith('shared'))
  const companions = names.map((file) => ({ name: file[0], target: `./${file}:run`, ...settings[file[0]!] }))
  const started = async (preload: boolean): Promise<Alone & { seen: Readonly<Record<string, Seen>> }> => {
    const of = await manage(companions, files, { preload, bootTimeout: '20s' })
    const lines = await of.program.lines(/^is (\w+) (\{.*\})$/, names.length)
    return { ...of, seen: Object.fromEntries(lines.map(([, name, json]) => [name, JSON.parse(json!)])) }
  }
  const execd = await started(false)
  const forked = await started(true)
  expect(forked.seen).toEqual(execd.seen)
  return forked
}

const alone = ({ program }: Alone): string[] =>
  [...program.output.matchAll(/not forked companion=(\w+)/g)].map(([, name]) => name!).sort()

it('what a module does is done to its own companions only, which are stopped and end as they should', async () => {
  const of = await see(
    {
      'a.js': `${CJS}
      process.on('SIGTERM', ours(() => { console.log('a was told'); process.exit() }))
      process.once('uncaughtException', ours()); process.prependListener('exit', ours())
      process.umask(0o007); process.exitCode = 5; process.title = 'title of a'`,
      'b.js': CJS,
      'c.js': `${CJS} process.on('SIGHUP', ours()); process.umask(0o070)`,
      'd.js': `exports.run = () => { ${SAYS}; setImmediate(() => { throw new Error('a bug of d') }); return new Promise(() => {}) }`,
    },
    { d: { autorestart: 'never', startsecs: 0 } },
  )
  const { seen, program, become, ask } = of
  expect(seen.a).toEqual({
    events: ['SIGTERM', 'uncaughtException', 'exit'],
    catches: false,
    umask: 0o007,
    exitCode: 5,
  })
  expect(seen.b).toEqual({ events: [], catches: false, umask: process.umask(), exitCode: null })
  expect(seen.c).toEqual({ events: ['SIGHUP'], catches: false, umask: 0o070, exitCode: null })
  expect(alone(of)).toEqual([])
  expect(await become('d', 'EXITED')).toMatchObject({ last_exit_code: 1 })
  expect(program.output).toContain('Error: a bug of d')
  expect(await ask({ cmd: 'stop', name: 'all' })).toMatchObject({ ok: true })
  expect(await become('a', 'STOPPED')).toMatchObject({ last_exit_code: 5 })
  expect(await become('b', 'STOPPED')).toMatchObject({ last_exit_signal: 'SIGTERM' })
  expect(program.output.match(/a was told/g)).toHaveLength(1)
})

it('what a module does that several load is done to all of these', async () => {
  const of = await see({
    'a.js': `${CJS} require('./shared.js').install(); queueMicrotask(() => process.on('exit', ours()))`,
    'b.js': `${CJS} require('./shared-too.js')`,
    'c.js': `${CJS} process.on('SIGHUP', require('./shared.js').listener)`,
    'd.js': CJS,
    'shared.js': `
      const ours = () => Object.assign(() => {}, { isOurs: true })
      process.on('SIGTERM', ours()); process.on('warning', exports.listener = ours())
      exports.install = () => process.once('SIGINT', ours())`,
    'shared-too.js': `require('./shared.js')`,
  })
  expect(of.seen.a!.events).toEqual(['SIGTERM', 'SIGINT', 'warning', 'exit'])
  expect(of.seen.b!.events).toEqual(['SIGTERM', 'warning'])
  expect(of.seen.c!.events).toEqual(['SIGTERM', 'SIGHUP', 'warning'])
  expect(of.seen.d!.events).toEqual([])
  expect(alone(of)).toEqual([])
})

it('so it is with ES modules, where Node tells what they import; else those that may have loaded it are exec’d', async () => {
  const of = await see({
    'a.mjs': `${ESM} import './shared.mjs'; process.on('SIGINT', ours())`,
    'b.mjs': `${ESM} import './shared.mjs'; await null; process.on('SIGHUP', ours())`,
    'c.mjs': `${ESM} import { createRequire } from 'node:module'; createRequire(import.meta.url)('./shared.cjs')`,
    'd.js': CJS,
    'shared.mjs': `import './shared.cjs'; await null; process.on('SIGTERM', Object.assign(() => {}, { isOurs: true }))`,
    'shared.cjs': `process.on('warning', Object.assign(() => {}, { isOurs: true }))`,
  })
  expect(of.seen.a!.events).toEqual(['SIGTERM', 'SIGINT', 'warning'])
  expect(of.seen.b!.events).toEqual(['SIGTERM', 'SIGHUP', 'warning'])
  expect(of.seen.c!.events).toEqual(['warning'])
  expect(of.seen.d!.events).toEqual([])
  expect(alone(of)).toEqual('registerHooks' in module ? [] : ['a', 'b', 'c'])
})

it('one of which it is not known what its module would have done is exec’d, which is said', async () => {
  const shared = `exports.ours = (run = () => {}) => Object.assign(run, { isOurs: true })`
  const of = await see({
    'a.js': `${CJS} require('./shared.js'); process.umask(0o007)`,
    'b.js': `${CJS} require('./shared.js'); process.on('SIGHUP', ours())`,
    'c.js': `${CJS} process.on('SIGTERM', ours())`,
    'd.js': `${CJS} process.removeAllListeners('SIGHUP')`,
    'e.js': `${CJS} require('./shared.js')`,
    'f.js': `${CJS} process.setUncaughtExceptionCaptureCallback(() => {})`,
    'g.js': `${CJS} process.setUncaughtExceptionCaptureCallback(() => {})`,
    'shared.js': shared,
  })
  expect(of.seen.b).toMatchObject({ events: ['SIGHUP'], umask: process.umask() })
  expect(alone(of)).toEqual(['b', 'e', 'f', 'g'])
  expect(of.program.output).toMatch(
    /companion=b why="whether its own module would no longer listen to SIGHUP, as \/\S*d\.js does since it was loaded, is not known"/,
  )
  expect(of.program.output).toMatch(/companion=e why="whether its own module would set the umask, as \/\S*a\.js does/)
})

it('what a module does later, while others are loaded, is done to its own companions only', async () => {
  const of = await manage(
    [
      { name: 'a', target: './a.js:run' },
      { name: 'b', target: './b.mjs:run' },
    ],
    {
      'a.js': `${CJS} global.isThere = true
        const wait = () => global.isWaitedFor ? process.on('SIGTERM', ours()) : setImmediate(wait)
        wait()`,
      'b.mjs': `${ESM}
        global.isWaitedFor = true
        while (global.isThere && !process.listenerCount('SIGTERM')) await new Promise(setImmediate)`,
    },
    { preload: true, bootTimeout: '20s' },
  )
  await of.program.line('is a {"events":["SIGTERM"]')
  await of.program.line('is b {"events":[]')
  expect(alone(of)).toEqual('registerHooks' in module ? [] : ['b'])
})

it('a module that is found from two directories is one', async () => {
  const of = await see(
    { 'a.js': `${CJS} process.umask(0o007); process.on('SIGHUP', ours())`, 'b/there': '' },
    { b: { cwd: 'b', target: '../a.js:run' } },
  )
  expect(of.seen.b).toMatchObject({ events: ['SIGHUP'], umask: 0o007 })
  expect(alone(of)).toEqual([])
})

it('a mask of its own goes before that of its module', async () => {
  const of = await manage(
    [
      { name: 'a', target: './a.js:run', umask: '027' },
      { name: 'b', target: './b.js:run', umask: '022' },
    ],
    { 'a.js': `${CJS} process.umask(0)`, 'b.js': CJS },
    { preload: true, bootTimeout: '20s' },
  )
  await of.program.line(`is a {"events":[],"catches":false,"umask":${0o27}`)
  await of.program.line(`is b {"events":[],"catches":false,"umask":${0o22}`)
})
