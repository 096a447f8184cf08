/**
 * Whether a running Node can be forked here: a mold of our own is started and forked once for each way in which a process
 * ends. Each child serves a request and collects garbage before it ends. A second or so; run by `--check-config`.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Channel } from '../channel/channel.ts'
import { MOLD_OPTIONS } from '../channel/command.ts'
import { FROM_MOLD, type FromMold, type ToMold } from '../channel/mold-messages.ts'
import { childEnvironment } from '../kernel/environment.ts'
import type { Exit, Kernel } from '../kernel/kernel.ts'
import { type Fd, fd, ms, type Pid, pid } from '../units.ts'

const CHILD = pathToFileURL(join(__dirname, 'self-test-child.js')).href
/** The main module of the mold: an ES module, which can be left at its top level. */
const MAIN = ['--input-type=module', '--eval', `import child from '${CHILD}'; await child.settled`]
const PATIENCE = ms(10_000)
const LOOK_EVERY = 5

/** Each way to end, and what must be seen of it from outside. */
export const WAYS = {
  natural: 0,
  exitCode: 7,
  exit: 8,
  throw: 1,
  reject: 1,
  unsettled: 13,
  signal: 'SIGTERM',
} as const satisfies Readonly<Record<string, number | string>>

/** Null: it can. Else what is missing or went wrong, in one line. Makes this process a subreaper. */
export async function testPreload(kernel: Kernel, node = process.execPath): Promise<string | null> {
  kernel.becomeSubreaper()
  const [ours, theirs] = kernel.channelPair()
  const nowhere = fd(openSync('/dev/null', 'r+'))
  const mold = kernel.spawn({
    file: node,
    argv: [node, ...MOLD_OPTIONS, ...MAIN],
    env: childEnvironment(process.env),
    fds: [0, 1, 2].map((to) => ({ from: nowhere, to })).concat({ from: theirs, to: 3 }),
    parentDeathSignal: 'SIGKILL',
  })
  kernel.close(theirs)
  closeSync(nowhere)
  const channel = new Channel<FromMold, ToMold>(kernel, ours, FROM_MOLD)
  try {
    return await testAll(kernel, ours, channel)
  } finally {
    channel.close()
    kernel.kill(mold, 'SIGKILL')
    await exitOf(kernel, mold)
  }
}

async function testAll(kernel: Kernel, to: Fd, channel: Channel<FromMold, ToMold>): Promise<string | null> {
  const first = channel.wait((message) => message.kind === 'quiet' || message.kind === 'failed', PATIENCE)
  if (first === null || first === 'end') return 'the mold of the self-test did not come up'
  if (first.message.kind === 'failed') return first.message.text
  for (const [way, expected] of Object.entries(WAYS)) {
    const wrong = await testOne(kernel, to, channel, way, expected)
    if (wrong !== null) return wrong
  }
  return null
}

async function testOne(
  kernel: Kernel,
  to: Fd,
  channel: Channel<FromMold, ToMold>,
  way: string,
  expected: number | string,
): Promise<string | null> {
  const [ours, theirs] = kernel.channelPair()
  try {
    kernel.send(to, Buffer.from(JSON.stringify({ kind: 'fork', request: 1, way })), [theirs])
    const answer = channel.wait((message) => message.kind === 'forked' || message.kind === 'forkFailed', PATIENCE)
    if (answer === null || answer === 'end') return 'the mold of the self-test died when it was to fork'
    if (answer.message.kind !== 'forked') return (answer.message as { text: string }).text
    const child = pid(answer.message.pid)
    kernel.send(ours, Buffer.from('go'))
    const found = workOf(kernel, ours)
    if (found !== null) {
      kernel.kill(child, 'SIGKILL')
      await exitOf(kernel, child)
      return found
    }
    const exit = await exitOf(kernel, child)
    const ended = exit?.signal ?? exit?.code ?? 'no end'
    return ended === expected
      ? null
      : `a forked process that ends by "${way}" left with ${ended} instead of ${expected}`
  } finally {
    kernel.close(ours)
    kernel.close(theirs)
  }
}

/** What the child says of its work; null: all well. */
function workOf(kernel: Kernel, channel: Fd): string | null {
  const said = kernel.receiveNow(channel, PATIENCE)
  if (said === null || said === 'end')
    return 'a forked process does not serve, or does not survive a garbage collection'
  return (JSON.parse(said.data.toString()) as { text: string | null }).text
}

/** Kills it where it does not end by itself; null then. */
async function exitOf(kernel: Kernel, child: Pid): Promise<Exit | null> {
  const late = kernel.now() + PATIENCE
  while (kernel.exited([child]).length === 0 && kernel.now() < late)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
  const inTime = kernel.exited([child]).length > 0
  if (!inTime) kernel.kill(child, 'SIGKILL')
  while (kernel.exited([child]).length === 0) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
  const [exit] = kernel.reap([child])
  return inTime ? (exit ?? null) : null
}
