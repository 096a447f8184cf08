/** Who is told of each response: the access log, the durations that metrics are made of, and `postRequest`. */
import type { WorkerSettings } from '../../config/settings.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { openSyslog } from '../../log/syslog-sender.ts'
import { syslogSettings } from '../../log/syslog-settings.ts'
import { fd } from '../../units.ts'
import type { Responded } from '../serve.ts'
import { AccessLog } from './access-log.ts'
import type { Durations } from './durations.ts'

/** Nothing is kept of a response that nobody wants to know of. `hook`: calls `postRequest`. */
export const tellAll = (access: AccessLog | null, durations: Durations | null, hook: Responded): Responded =>
  access === null && durations === null && hook === null
    ? null
    : (record) => {
        durations?.observe(record.duration)
        access?.record(record)
        hook?.(record)
      }

/** Null where none is kept. */
export const accessLog = (settings: WorkerSettings, kernel: Kernel, warn: (text: string) => void): AccessLog | null => {
  if (settings.accesslog === null) return null
  const onTrouble = (line: string) => warn(line.trimEnd())
  const target = syslogSettings(settings)
  const datagram = (path: string, text: string) => kernel.notify(path, text)
  return new AccessLog({
    format: settings.accessLogFormat,
    writeNow: (to, data) => kernel.writeNow(fd(to), data),
    syslog: target && openSyslog({ ...target, tag: `${target.tag}.access` }, { datagram, onTrouble }),
    onTrouble,
  })
}
