/**
 * Variables that speak to this process alone. A child that inherited them would take the parent's channel for its own
 * (child_process, cluster), its sockets (sd_listen_fds(3)), or answer for it (sd_notify(3), sd_watchdog_enabled(3)).
 * By full name: `LISTEN_PORT` and the like belong to the app.
 */
const OURS: ReadonlySet<string> = new Set([
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
])

/** The environment for a child: a copy without what was meant for us alone, and without undefined values. */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !OURS.has(name)) result[name] = value
  }
  return result
}
