/**
 * The mold of companions, run by the manager: has the modules of all `target` companions loaded; each process that is
 * forked from it becomes one of them.
 */
import '../mold/eager.ts'
import { readBlob } from '../channel/blob.ts'
import { Channel } from '../channel/channel.ts'
import { type TargetGo, type TargetOrder, TO_TARGET } from '../channel/target-messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { runHooks } from '../mold/hooks.ts'
import { compileLazily } from '../mold/lazy.ts'
import { Mold } from '../mold/mold.ts'
import type { Fd } from '../units.ts'
import { forgetOptions } from '../worker/exec-argv.ts'
import { isCalled } from '../worker/join.ts'
import { deferStreams } from './late-streams.ts'
import { keyOf, loadAll } from './load-all.ts'
import { exportOf, findModule, importModule, lookLike } from './load-target.ts'
import { hearManager, reasonOf, runTarget, type TargetChannel } from './run-target.ts'
import { Traces } from './traces.ts'
import { replaceEnvironment, watchEnvironment } from './watched-environment.ts'

if (!isCalled()) {
  process.stderr.write('monoceros: this file is started by the companion manager\n')
  process.exit(2)
}
forgetOptions()
const mold = new Mold({ what: 'a companion', sharesStreams: false })
compileLazily()
void main()

async function main(): Promise<void> {
  const { kernel, listen } = mold
  const restoreStreams = deferStreams()
  const stopWatching = watchEnvironment()
  process.on('uncaughtException', refuse)
  const traces = new Traces()
  const { modules = [] } = mold.go
  const { broken, blame } = await loadAll(mold, modules, traces)
  const { written, ...asked } = stopWatching()
  const settled = (): void => {
    traces.stop()
    process.off('uncaughtException', refuse)
    const alone = modules.flatMap((_, at) => {
      const text = traces.whyNot(at)
      return text === null ? [] : [{ at, text }]
    })
    mold.tell({ kind: 'loaded', broken, alone, ...asked })
  }
  const descriptor = await mold.untilForked(blame, settled).catch((error) => refuse(error))

  const { channel, order } = join(kernel, descriptor)
  const { name, module, export: exported, cwd, umask, env } = order
  restoreStreams()
  replaceEnvironment(env, written)
  process.chdir(cwd)
  kernel.setProcessName(`monoceros: companion ${name}`)
  const left = traces.keep(modules.findIndex((one) => keyOf(one) === keyOf({ module, cwd })))
  const mask = umask ?? left
  if (mask !== undefined) process.umask(mask)
  hearManager(kernel, channel)
  // Its logs may have been reopened since it was asked for.
  channel.hear()
  listen.restore()
  await runTarget(`${module}:${exported}`, channel, async () => {
    const file = findModule(module, cwd)
    lookLike(file)
    const run = exportOf(await importModule(file), module, exported)
    await runHooks('postFork', mold.hooksMayTake)
    listen.replay(keyOf({ module, cwd }))
    return run
  })
}

/** What nobody caught while modules were loaded is nobody's in particular. */
function refuse(error: unknown): never {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
  return mold.refuse({ fault: 'threw', text: reasonOf(error), ...stack })
}

function join(kernel: Kernel, descriptor: Fd): { readonly channel: TargetChannel; readonly order: TargetOrder } {
  kernel.setCloseOnExec(descriptor, true)
  const channel: TargetChannel = new Channel(kernel, descriptor, TO_TARGET)
  const first = channel.waitFor((message): message is TargetGo => message.kind === 'go')
  if (first === 'end') return kernel.exit(1)
  mold.dieWith(first.message.manager)
  return { channel, order: readBlob(kernel, first.fds[0]!) as TargetOrder }
}
