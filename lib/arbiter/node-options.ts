/**
 * NODE_OPTIONS is meant for the workers: a tracer's `--require` must not load in the arbiter. Node has obeyed it by the
 * time we run, so the arbiter replaces itself once, without the variable, and keeps its value for the workers.
 */
import { NODE_OPTIONS_VARIABLE } from '../config/environment.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Fd, fd } from '../units.ts'

/** Returns where there is nothing to do. The pid stays, and with it LISTEN_PID; so do the descriptors in `inherited`. */
export function leaveNodeOptionsToWorkers(kernel: Kernel, inherited: readonly Fd[]): void {
  const { NODE_OPTIONS: options, ...env } = process.env
  if (options === undefined || options === '') return
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const kept = { ...(env as Record<string, string>), [NODE_OPTIONS_VARIABLE]: options }
  // Node marks what it inherited close-on-exec at its start. One that is not there is complained about later.
  const open = new Set(kernel.listFds())
  const keep = [fd(0), fd(1), fd(2), ...inherited].filter((each) => open.has(each))
  kernel.execve(process.execPath, argv, kept, keep)
}
