/** What `lib/manager/molds.ts` gives back, on a kernel in memory. */
import { encode } from '../../lib/channel/decode.ts'
import { SESSIONS_BYTES } from '../../lib/channel/sessions.ts'
import type { CompanionConfig } from '../../lib/config/companions.ts'
import { Children } from '../../lib/manager/children.ts'
import { LogFiles } from '../../lib/manager/log-file.ts'
import { Molds } from '../../lib/manager/molds.ts'
import { Report } from '../../lib/manager/report.ts'
import type { Event } from '../../lib/supervision/companions.ts'
import { type Fd, fd, ms } from '../../lib/units.ts'
import { FakeKernel, type FakeProcess } from '../support/fake-kernel.ts'
import { until } from '../support/until.ts'

const MOLD_CHANNEL = 3

const FULL = 'ETOOMANYREFS: sendmsg'
const PRELOAD = { patience: ms(1000), open: 'refuse', fallback: false } as const
const CONFIG = {
  name: 'a',
  family: 'a',
  instance: 0,
  run: { kind: 'target', module: './a.js', export: 'run' },
  nodeOptions: [],
  cwd: '/',
  env: {},
  user: null,
  group: null,
  umask: null,
  limits: [],
  stdout: { kind: 'inherit' },
  stderr: { kind: 'inherit' },
  logMode: 'direct',
  logMaxBytes: 0,
} as unknown as CompanionConfig

/** Lets descriptors pass, until it is full. */
class FullKernel extends FakeKernel {
  isFull = false

  override send(to: Fd, data: Uint8Array, fds: readonly Fd[] = []): boolean {
    if (this.isFull && fds.length > 0) throw new Error(FULL)
    return super.send(to, data, fds)
  }
}

/** A mold that is quiet at once, and forks when it is asked to. */
function manage(kernel: FakeKernel, forked = (): void => undefined) {
  kernel.becomeSubreaper()
  const born: FakeProcess[] = []
  kernel.programs.set(process.execPath, (self) => {
    self.hears.set(MOLD_CHANNEL, () => {
      const packet = self.receives(MOLD_CHANNEL)
      const said = packet === null || packet === 'end' ? null : JSON.parse(packet.data.toString())
      if (said?.kind === 'fork')
        self.forks((middle) => {
          born.push(middle.forks(() => {}))
          middle.exits(0)
          forked()
          self.sends(MOLD_CHANNEL, encode({ ...said, kind: 'forked', pid: born[0]!.pid } as { kind: string }))
        })
    })
    self.sends(MOLD_CHANNEL, encode({ kind: 'quiet' }))
  })
  const log = { info() {}, warning() {}, error() {}, debug() {} }
  const report = new Report(log as never, () => kernel.now())
  const files = new LogFiles(kernel, () => undefined)
  const children = new Children(kernel, new ArrayBuffer(SESSIONS_BYTES), fd(0), files, () => undefined)
  const events: Event[] = []
  const happened = (event: Event): void => void events.push(event)
  const molds = new Molds({ kernel, children, report, happened, left: () => {}, companions: () => [CONFIG] })
  return { children, events, molds, born }
}

it('what a companion would have had is given back where its mold cannot be asked', async () => {
  const kernel = new FullKernel()
  const { events, molds } = manage(kernel)
  expect(molds.takes(CONFIG, {}, PRELOAD)).toBe(true)
  molds.begin(PRELOAD)
  kernel.isFull = true
  const before = kernel.listFds()
  await until(() => events.length > 0)
  expect(events).toEqual([{ kind: 'spawnFailed', name: 'a', error: FULL }])
  expect(kernel.listFds()).toEqual(before)
})

it('so is what it has where it cannot be told what it is, and it is killed', async () => {
  const kernel = new FullKernel()
  const { children, events, molds, born } = manage(kernel, () => {
    kernel.isFull = true
  })
  molds.takes(CONFIG, {}, PRELOAD)
  molds.begin(PRELOAD)
  const before = kernel.listFds()
  await until(() => events.length > 0)
  expect(events).toEqual([{ kind: 'spawnFailed', name: 'a', error: FULL }])
  expect(kernel.listFds()).toEqual(before)
  expect(born[0]!.received).toEqual(['SIGKILL'])
  expect(children.named('a')).toBeUndefined()
})
