/** Who is told of each response: the access log, and the durations that metrics are made of. */
import type { WorkerSettings } from '../config/settings.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { fd } from '../units.ts'
import { AccessLog } from './access-log.ts'
import type { Durations } from './durations.ts'
import type { Responded } from './serve.ts'

/** Nothing is kept of a response that nobody wants to know of. */
export const tellBoth = (access: AccessLog | null, durations: Durations | null): Responded =>
  access === null && durations === null
    ? null
    : (record) => {
        durations?.observe(record.duration)
        access?.record(record)
      }

/** Null where none is kept. */
export const accessLog = (settings: WorkerSettings, kernel: Kernel, warn: (text: string) => void): AccessLog | null => {
  if (settings.accesslog === null) return null
  const writeNow = (to: number, data: Uint8Array) => kernel.writeNow(fd(to), data)
  return new AccessLog({ format: settings.accessLogFormat, writeNow, onTrouble: (line) => warn(line.trimEnd()) })
}
