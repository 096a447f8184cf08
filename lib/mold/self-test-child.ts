/**
 * Imported by the mold that `self-test.ts` starts: no app, and children that try what every forked worker relies on, and
 * then end in the way that was asked for. What they find is said on their own channel.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { loadKernel, loadMoldKernel } from '../kernel/addon.ts'
import { fd, ms } from '../units.ts'
import { becomeOneself } from './child.ts'
import { installRandomness } from './randomness.ts'
import { warmUp } from './warm-up.ts'

let settle: () => void
/** Awaited by the main module at its top level, so that what is forked stands there as well. */
export const settled = new Promise<void>((resolve) => {
  settle = resolve
})

const CHANNEL = fd(3)
const PATIENCE = ms(30_000)

/** How a process ends, and what it leaves: an exit code, or a signal. */
const ENDS: Readonly<Record<string, () => void>> = {
  natural: () => undefined,
  exitCode: () => {
    process.exitCode = 7
  },
  exit: () => process.exit(8),
  throw: () =>
    setImmediate(() => {
      throw new Error('thrown by the self-test')
    }),
  reject: () => void Promise.reject(new Error('rejected by the self-test')),
  unsettled: () => undefined,
  signal: () => process.kill(process.pid, 'SIGTERM'),
}

const kernel = loadKernel()
const mold = loadMoldKernel()
kernel.setCloseOnExec(CHANNEL, true)
const say = (to: number, message: object): unknown => kernel.send(fd(to), Buffer.from(JSON.stringify(message)))

async function works(): Promise<void> {
  const server = createServer((_, res) => res.end('answered')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const answer = await (await fetch(`http://127.0.0.1:${port}`)).text()
  if (answer !== 'answered') throw new Error(`a request was answered with ${answer}`)
  server.closeAllConnections()
  server.close()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: object) => void
  for (let n = 0; n < 2; n++) {
    Array.from({ length: 20_000 }, (_, i) => ({ i }))
    collect({ type: 'minor' })
    collect()
  }
}

async function live(own: number, way: string): Promise<void> {
  if (kernel.receiveNow(fd(own), PATIENCE) === null) return kernel.exit(1)
  const text = await works().then(
    () => null,
    (error: unknown) => String(error),
  )
  say(own, { text })
  if (way !== 'unsettled') settle()
  ENDS[way]!()
}

const missing = mold.muteWorkerThreads() ?? mold.leaveByExit()
if (missing !== null) {
  say(CHANNEL, { kind: 'failed', fault: 'cannotFork', text: `this Node (${process.version}) lacks ${missing}` })
  process.exit(1)
}
warmUp(true)
const randomness = installRandomness()
/** What was opened for the first time is in place when its requests are over. */
function whenAtRest(then: () => void): void {
  if (mold.loopRequests() === 0) then()
  else setImmediate(whenAtRest, then)
}

whenAtRest(() => {
  say(CHANNEL, { kind: 'quiet' })
  const { data, fds } = mold.serveForks(CHANNEL)
  becomeOneself(kernel, randomness)
  void live(fds[0]!, (JSON.parse(data.toString()) as { way: string }).way)
})
