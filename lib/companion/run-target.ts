/** A `target` companion at work: its function is called, and how it ends is told. */
import type { Channel } from '../channel/channel.ts'
import type { FromTarget, ToTarget } from '../channel/target-messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { TargetMissing } from './load-target.ts'

export type TargetChannel = Channel<ToTarget, FromTarget>

/**
 * Loads and calls the function without arguments. When it returns (or its promise is kept) the process ends with 0; when
 * it throws, with 1 and its stack on stderr. `channel` is null where it was started by hand.
 */
export async function runTarget(
  target: string,
  channel: TargetChannel | null,
  load: () => Promise<() => unknown>,
): Promise<never> {
  const fail = (fault: FromTarget['fault'], error: unknown): never => {
    channel?.send({ kind: 'failed', fault, text: reasonOf(error) })
    process.exit(1)
  }
  const run = await load().catch((error) => {
    process.stderr.write(error instanceof TargetMissing ? `monoceros: ${error.message}\n` : shown(error))
    return fail('missing', error)
  })
  try {
    await run()
  } catch (error) {
    process.stderr.write(shown(error))
    fail('threw', error)
  }
  // Whoever starts a server or a timer and returns did not mean to end: the reason is to be found in `status`.
  const open = [...new Set(process.getActiveResourcesInfo())].filter((name) => !NOT_OPEN.test(name))
  const kept = open.length > 0 ? ` although it has left something open (${open.join(', ')})` : ''
  channel?.send({ kind: 'failed', fault: 'returned', text: `ended because ${target} returned${kept}` })
  process.exit()
}

/** Hears the manager from now on, without keeping the process alive: it may have the log files reopened. */
export function hearManager(kernel: Pick<Kernel, 'dup2' | 'close'>, channel: TargetChannel): void {
  channel.open({
    message(message, fds) {
      if (message.kind === 'reopen')
        for (const [at, file] of message.files.entries()) kernel.dup2(fds[at]!, file === 'stdout' ? 1 : 2)
      for (const one of fds) kernel.close(one)
    },
    ended: () => channel.close(),
    garbled: () => {},
  })
  channel.unref()
}

/** An error in one line. */
export function reasonOf(error: unknown): string {
  const isOurs = error instanceof TargetMissing || !(error instanceof Error)
  const text = isOurs ? String((error as Error | null)?.message ?? error) : `${error.name}: ${error.message}`
  return text.split('\n', 1)[0]!
}

/** Standard output that is a pipe or a terminal counts as active, and so does work that is about to be done. */
const NOT_OPEN = /^(PipeWrap|TTYWrap)$|Req/

const shown = (error: unknown): string => `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
