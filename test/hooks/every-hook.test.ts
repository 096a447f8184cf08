/** Every hook, one way of failing after the other: it is named in the log, and nothing is stopped by it. */
import { type Service, serve } from '../arbiter/service.ts'
import { isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'

const ALL = [
  ...['onStarting', 'whenReady', 'onReload', 'preFork', 'postFork', 'postWorkerInit', 'workerInt', 'workerAbort'],
  ...['preExec', 'childExit', 'workerExit', 'nworkersChanged', 'onExit'],
] as const

type HookName = (typeof ALL)[number]

/** Until each of these hooks has failed once more, that is until none of them waits to be called. */
type Failed = (mark: number, ...hooks: HookName[]) => Promise<unknown>

/** Everything that can happen to a server, one after the other. */
async function live(service: Service, failed: Failed): Promise<void> {
  const { program } = service
  const serves = async (): Promise<void> => expect((await service.get()).status).toBe(200)
  await program.line('all workers are ready')
  await failed(0, 'onStarting', 'preFork', 'postFork', 'postWorkerInit', 'whenReady')
  await serves()
  let mark = program.mark()
  program.signal('SIGHUP')
  await program.line('the new generation serves', mark)
  await failed(mark, 'onReload', 'preFork', 'postFork', 'postWorkerInit', 'childExit', 'workerExit')
  await serves()
  mark = program.mark()
  program.signal('SIGTTIN')
  await program.line('worker ready', mark)
  await failed(mark, 'preFork', 'postFork', 'nworkersChanged', 'postWorkerInit')
  await serves()
  mark = program.mark()
  program.signal('SIGUSR2')
  await failed(mark, 'preExec')
  const [, fresh] = await program.line(/the new arbiter serves; TERM ends this one pid=(\d+)/, mark)
  process.kill(Number(fresh), 'SIGTERM')
  await until(() => !isAlive(Number(fresh)))
  await program.line('this one goes on', mark)
  mark = program.mark()
  service.get('/spin').catch(() => undefined)
  await failed(mark, 'workerAbort', 'childExit', 'workerExit')
  await program.line('worker ready', mark)
  await serves()
  await failed(mark, 'postWorkerInit')
  mark = program.mark()
  program.signal('SIGINT')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  await failed(mark, 'workerInt', 'onExit')
}

test.each([
  ['throw', '20s', `throw new TypeError('no such thing')`, 'threw: TypeError: no such thing'],
  ['reject', '20s', `return Promise.reject('a text')`, "threw: 'a text'"],
  // Before its process has even begun, or while others wait, the time for one that is waited for may be over.
  [
    'hang',
    '150ms',
    'return new Promise(() => {})',
    '(takes longer than 150ms|was not called: the time for it is over)',
  ],
])(
  'hooks that %s are named in the log, each of them, and everything goes its way',
  async (_how, timeout, body, words) => {
    const hooks = ALL.map((name) => `${name}() { ${body} }`).join(', ')
    const files = { 'monoceros.config.cjs': `module.exports = { hookTimeout: '${timeout}', hooks: { ${hooks} } }` }
    const service = serve(['-w', '1', '--startsecs', '0', '--timeout', '2s'], { files })
    const { program } = service
    const failed: Failed = (mark, ...names) =>
      Promise.all(
        names.map((name) => program.line(new RegExp(`arbiter\\[${program.pid}\\] hook ${name} ${words}`), mark)),
      )
    await live(service, failed)
  },
  180_000,
)
