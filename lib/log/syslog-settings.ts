/** The settings of syslog as one. Pure. */
import type { Facility } from './syslog.ts'

/** Plain data: workers and the manager get it by message. */
export type SyslogSettings = {
  readonly to:
    | { readonly kind: 'udp' | 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string }
  readonly facility: Facility
  readonly tag: string
}

/** As they stand in the configuration. */
type Settings = {
  readonly syslog: boolean
  readonly syslogAddr: SyslogSettings['to']
  readonly syslogPrefix: string | null
  readonly syslogFacility: Facility
  readonly procName: string | null
}

/** Null where nothing goes to syslog. */
export const syslogSettings = ({ syslog, syslogAddr, syslogPrefix, syslogFacility, procName }: Settings) =>
  syslog
    ? ({
        to: syslogAddr,
        facility: syslogFacility,
        tag: syslogPrefix ?? procName ?? 'monoceros',
      } satisfies SyslogSettings)
    : null
