/** Who is told of each response: the access log, and the durations that metrics are made of. */
import type { WorkerSettings } from '../../config/settings.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { openSyslog } from '../../log/syslog-sender.ts'
import { syslogSettings } from '../../log/syslog-settings.ts'
import { fd } from '../../units.ts'
import type { Responded } from '../serve.ts'
import { AccessLog } from './access-log.ts'
import type { Durations } from './durations.ts'

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
