/**
 * NODE_OPTIONS is meant for the workers: a tracer's `--require` must not load in the arbiter. Node has obeyed it by the
 * time we run, so the arbiter replaces itself once, without the variable, and keeps its value for the workers.
 */
import { NODE_OPTIONS_VARIABLE } from '../config/environment.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { fd } from '../units.ts'

/** Returns where there is nothing to do. The pid stays, and with it LISTEN_PID; so do all inherited descriptors. */
export function leaveNodeOptionsToWorkers(kernel: Kernel): void {
  const { NODE_OPTIONS: options, ...env } = process.env
  if (options === undefined || options === '') return
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const kept = { ...(env as Record<string, string>), [NODE_OPTIONS_VARIABLE]: options }
  // Node marks its standard descriptors close-on-exec at its start.
  kernel.execve(process.execPath, argv, kept, [fd(0), fd(1), fd(2)])
}
