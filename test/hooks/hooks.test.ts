/** Hooks of a real config file: what is called when, and that none of them can stop the service. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, serve } from '../arbiter/service.ts'
import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'

const config = (hooks: string, settings = ''): Readonly<Record<string, string>> => ({
  'monoceros.config.mjs': `
import { appendFileSync } from 'node:fs'
const note = (...what) => appendFileSync(import.meta.dirname + '/notes', JSON.stringify([...what, process.pid]) + '\\n')
export default { ${settings} hooks: { ${hooks} } }
`,
})

const ALL = [
  ...['onStarting', 'whenReady', 'onReload', 'preFork', 'postFork', 'postWorkerInit', 'workerInt', 'workerAbort'],
  ...['preExec', 'childExit', 'workerExit', 'nworkersChanged', 'onExit'],
]
const NOTE_ALL = ALL.map((name) => `${name}: async (...args) => note('${name}', ...args)`).join(', ')

// biome-ignore lint/suspicious/noExplicitAny: each hook has arguments of its own
type Note = readonly [hook: string, ...rest: any[]]

/** What the hooks have noted: name, arguments, and the pid of the process that ran them. */
function notes(service: Service): Note[] {
  try {
    const text = readFileSync(join(service.folder, 'notes'), 'utf8')
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  } catch {
    return []
  }
}
const names = (service: Service): string[] => notes(service).map(([name]) => name)

const arbiterOf = ({ program }: Service): number => program.pid

test('hooks are called in the order of a life, with the server and the worker, in one process that is not the arbiter', async () => {
  const service = serve(['-w', '1', '--startsecs', '0'], { files: config(NOTE_ALL) })
  await until(() => names(service).includes('whenReady'))
  expect(names(service)).toEqual(['onStarting', 'preFork', 'postFork', 'postWorkerInit', 'whenReady'])
  const [starting, before, after, ready] = notes(service)
  const server = { pid: arbiterOf(service), workers: 1 }
  expect(starting![1]).toMatchObject(server)
  expect(before!.slice(1, 3)).toMatchObject([server, { slot: 0, generation: 1, pid: null }])
  const worker = { slot: 0, generation: 1, pid: Number((await service.get()).body) }
  expect(after!.slice(1, 3)).toMatchObject([server, worker])
  expect(ready!.slice(1, 2)).toEqual([worker])

  service.program.signal('SIGTTIN')
  await until(() => names(service).filter((name) => name === 'postWorkerInit').length === 2)
  expect(
    notes(service)
      .find(([name]) => name === 'nworkersChanged')!
      .slice(2, 4),
  ).toEqual([2, 1])

  process.kill(worker.pid, 'SIGKILL')
  await until(() => names(service).includes('childExit'))
  const [, , whose, how] = notes(service).find(([name]) => name === 'childExit')!
  expect([whose, how]).toEqual([worker, { code: null, signal: 'SIGKILL' }])

  const runners = new Set(notes(service).map((note) => note.at(-1)))
  expect(runners.size).toBe(1)
  const [runner] = runners
  expect(runner).not.toBe(arbiterOf(service))
  expect(service.children()).toContain(runner)

  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toMatchObject({ code: 0 })
  const last = names(service)
  expect(last.at(-1)).toBe('onExit')
  expect(last.filter((name) => name === 'onExit')).toHaveLength(1)
  expect(last.filter((name) => name === 'workerExit')).toHaveLength(3)
  expect(isAlive(runner)).toBe(false)
})

test('without hooks there is no process for them', async () => {
  const service = serve(['-w', '1', '--startsecs', '0'], { files: config('') })
  await service.program.line('all workers are ready')
  expect(service.children()).toEqual([Number((await service.get()).body)])
})

test('workers start when onStarting has ended', async () => {
  const hooks = `onStarting: async () => { await new Promise((resolve) => setTimeout(resolve, 300)); console.error('prepared') }`
  const { program } = serve(['-w', '1'], { files: config(hooks) })
  await program.line('all workers are ready')
  expect(program.output.indexOf('prepared')).toBeGreaterThan(0)
  expect(program.output.indexOf('prepared')).toBeLessThan(program.output.indexOf('worker started'))
})

test('hooks that throw, reject, hang and block are named in the log, and the service starts, serves and stops', async () => {
  const hooks = `
    onStarting: () => { throw new TypeError('no such thing') },
    preFork: async () => { await null; throw 'a text' },
    postFork: () => new Promise(() => {}),
    whenReady: () => { for (;;) {} },
    onExit: () => { for (;;) {} },
  `
  const service = serve(['-w', '1', '--startsecs', '0'], { files: config(hooks, `hookTimeout: '300ms',`) })
  const { program } = service
  await program.line(/error .*hook onStarting threw: TypeError: no such thing/)
  await program.line(/^ +at .*monoceros\.config\.mjs/)
  await program.line(/error .*hook preFork threw: 'a text'/)
  await program.line('hook postFork takes longer than 300ms')
  await program.line('hook whenReady blocks its process')
  expect((await service.get()).status).toBe(200)
  program.signal('SIGTERM')
  expect(await program.ended()).toMatchObject({ code: 0 })
  expect(program.output).toMatch(/hook onExit (blocks|was not called|did not come)/)
})

test('a hook process that dies is started again, and the call that it ran is named', async () => {
  const hooks = `nworkersChanged: () => process.exit(7), postWorkerInit: (worker) => note('postWorkerInit', worker.slot)`
  const service = serve(['-w', '1', '--startsecs', '0'], { files: config(hooks) })
  await until(() => names(service).length === 1)
  service.program.signal('SIGTTIN')
  await service.program.line('hook nworkersChanged did not come to its end: its process exited with code 7')
  await until(() => names(service).length === 2)
  const [first, second] = notes(service).map((note) => note.at(-1))
  expect(first).not.toBe(second)
})

test('a reload loads the hooks anew, and begins to call or ceases to', async () => {
  const service = serve(['-w', '1', '--startsecs', '0'], { files: config(`onReload: () => note('first')`) })
  const { program, folder } = service
  await program.line('all workers are ready')
  const file = join(folder, 'monoceros.config.mjs')
  const reload = async (hooks: string): Promise<void> => {
    const mark = program.mark()
    writeFileSync(file, config(hooks)['monoceros.config.mjs']!)
    program.signal('SIGHUP')
    await program.line('the new generation serves', mark)
  }
  await reload(`onReload: (server) => note('second', server.workers)`)
  await until(() => names(service).length === 1)
  expect(notes(service)[0]!.slice(0, 2)).toEqual(['second', 1])
  const runner = notes(service)[0]!.at(-1)
  await reload('')
  await until(() => !isAlive(runner))
  expect(names(service)).toEqual(['second'])
  await reload(`onReload: () => note('third')`)
  await until(() => names(service).length === 2)
  expect(names(service)).toEqual(['second', 'third'])
})

test('a worker that hangs is told of by workerAbort, and one that is told to leave at once by workerInt', async () => {
  const hooks = `workerAbort: ({ pid }) => note('workerAbort', pid), workerInt: ({ pid }) => note('workerInt', pid)`
  const service = serve(['-w', '1', '--startsecs', '0', '--timeout', '1s'], { files: config(hooks) })
  await service.program.line('all workers are ready')
  const stuck = Number((await service.get()).body)
  const mark = service.program.mark()
  service.get('/spin').catch(() => undefined)
  await until(() => names(service).includes('workerAbort'))
  expect(notes(service)[0]![1]).toBe(stuck)
  await service.program.line('worker ready', mark)
  service.program.signal('SIGINT')
  await service.program.ended()
  expect(names(service)).toEqual(['workerAbort', 'workerInt'])
})

test('a file that cannot be loaded for its hooks is named, and the workers start all the same', async () => {
  const service = serve(['-w', '1'], {
    files: {
      'monoceros.config.cjs': `
if (process.title === 'monoceros: hooks') throw new Error('not here')
module.exports = { hookTimeout: '500ms', hooks: { onStarting() {} } }`,
    },
  })
  await service.program.line(/hooks cannot be loaded from .*config\.cjs: Error: not here/)
  await service.program.line('hook onStarting was not called: the time for it is over')
  await service.program.line('all workers are ready')
  service.program.signal('SIGTERM')
  expect(await service.program.ended()).toMatchObject({ code: 0 })
})
