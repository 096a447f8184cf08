/** Descriptors that the kernel lets nobody send (ETOOMANYREFS, unix(7)): nothing is lost by it but time. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { ready, type Service, serve } from '../arbiter/service.ts'
import { faults } from '../support/faults.ts'
import { temporaryFolder } from '../support/folder.ts'
import { descriptorsOf, isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'

const AT_ONCE = [
  '--preload',
  '--crash-limit',
  '0',
  '--restart-delay',
  '20ms',
  '--restart-delay-max',
  '20ms',
  '--control-socket',
  'control',
]

type Scene = {
  readonly service: Service
  /** The arbiter's descriptors. */
  open(): number
  /** None can be sent until the result is called. */
  refuse(): () => void
}

/** So many children are there, and the arbiter has heard of the last. */
async function known(service: Service, children: number): Promise<void> {
  await until(async () => {
    const { molds } = await ask(join(service.folder, 'control'), { cmd: 'status' }, { silence: null })
    const [{ spare }] = molds as [{ spare: number | null }]
    return service.children().length === children && (spare !== null) === (children === 3)
  })
}

/** All workers are ready, and so many children are there. */
async function begin(children: number, args: readonly string[]): Promise<Scene> {
  const at = join(temporaryFolder(), 'faults')
  const service = serve([...AT_ONCE, ...args], { env: faults({ FAULTS_AT: at }) })
  await service.program.line('all workers are ready')
  await known(service, children)
  const refuse = (): (() => void) => {
    writeFileSync(at, 'no descriptors')
    return () => rmSync(at)
  }
  return { service, refuse, open: () => descriptorsOf(service.program.pid).length }
}

const pidOf = async (service: Service): Promise<number> => Number((await service.get()).body)

test.each([
  ['with one that was forked ahead', '--preload-spare', 3],
  ['without', '--no-preload-spare', 2],
])('a worker is asked for again and again, and comes: %s', async (_, spare, children) => {
  const { service, open, refuse } = await begin(children, [spare, '--startsecs', '0'])
  const before = { open: open(), children: service.children() }
  const mark = service.program.mark()
  const allow = refuse()
  process.kill(await pidOf(service), 'SIGKILL')
  await service.program.line(/ETOOMANYREFS/, mark)
  allow()
  await ready(service, 1, mark)
  await known(service, children)
  const [mold] = before.children
  expect(service.children()).toContain(mold)
  expect(before.children.filter(isAlive)).toEqual([mold])
  await until(() => open() <= before.open)
  expect(service.program.output).not.toMatch(/critical|defect/)
})

test('nobody is forked ahead then, and that is said', async () => {
  const { service, refuse } = await begin(3, ['--startsecs', '0'])
  const allow = refuse()
  service.program.signal('SIGUSR1')
  await service.program.line(/warning .*no process could be forked ahead: ETOOMANYREFS/)
  allow()
  await until(() => service.children().length === 2)
  service.program.signal('SIGTTIN')
  await until(() => service.children().length === 4)
  expect(service.program.output).not.toMatch(/critical|defect/)
})

test('a worker that was to become a mold leaves as it would have, and the mold stays', async () => {
  const { service, open, refuse } = await begin(2, ['--no-preload-spare', '--startsecs', '1s', '--refork-after', '3'])
  const before = open()
  const [mold] = service.children()
  const worker = await pidOf(service)
  const mark = service.program.mark()
  for (let n = 0; n < 3; n++) await service.get()
  await ready(service, 1, mark)
  const allow = refuse()
  await service.program.line(/warning .*worker cannot be a mold, the one before it stays: ETOOMANYREFS/, mark)
  await service.program.line(new RegExp(`worker left worker=\\S+ pid=${worker} code=0`), mark)
  allow()
  expect(service.children()).toContain(mold)
  expect(await pidOf(service)).not.toBe(worker)
  await until(() => open() <= before)
  expect(service.program.output).not.toMatch(/critical|defect/)
})
