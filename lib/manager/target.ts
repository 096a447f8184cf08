/**
 * The entry of a `target` companion: `node target.js module:export` imports the module and calls the export without
 * arguments. When it returns (or its promise is kept) the companion ends with 0; when it throws, with 1 and its stack
 * on stderr. Meanwhile the manager may have its log files reopened.
 */
import { Channel } from '../channel/channel.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { type FromTarget, TO_TARGET, type ToTarget } from '../channel/target-messages.ts'
import { loadKernel } from '../kernel/addon.ts'
import { fd } from '../units.ts'
import { loadTarget, TargetMissing } from './load-target.ts'

type Fault = FromTarget['fault']

async function main(): Promise<void> {
  const channel = openChannel()
  const [, , target = ''] = process.argv
  const fail = (fault: Fault, error: unknown): never => {
    const isOurs = error instanceof TargetMissing || !(error instanceof Error)
    const text = isOurs ? String((error as Error | null)?.message ?? error) : `${error.name}: ${error.message}`
    channel?.send({ kind: 'failed', fault, text: text.split('\n', 1)[0]! })
    process.exit(1)
  }
  const run = await loadTarget(target, process.cwd()).catch((error) => {
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

/** Standard output that is a pipe or a terminal counts as active, and so does work that is about to be done. */
const NOT_OPEN = /^(PipeWrap|TTYWrap)$|Req/

const shown = (error: unknown): string => `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`

/** Null where it was started by hand. */
function openChannel(): Channel<ToTarget, FromTarget> | null {
  const { [CHANNEL_VARIABLE]: number } = process.env
  delete process.env[CHANNEL_VARIABLE]
  if (number === undefined) return null
  const kernel = loadKernel()
  const channel = new Channel<ToTarget, FromTarget>(kernel, fd(Number(number)), TO_TARGET)
  channel.open({
    message({ files }, fds) {
      for (const [at, file] of files.entries()) kernel.dup2(fds[at]!, file === 'stdout' ? 1 : 2)
      for (const one of fds) kernel.close(one)
    },
    ended: () => channel.close(),
    garbled: () => {},
  })
  channel.unref()
  return channel
}

void main()
