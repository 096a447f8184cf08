/** The keys of an app in PM2's `ecosystem.config.js`, under one name each. Pure. */

/** One app: canonical keys of PM2 (those of its lib/API/schema.json) and what was given for them. */
export type Pm2App = Readonly<Record<string, unknown>>

/** Other names that PM2 takes; camelCase of each canonical key is taken too. */
const ALIASES: Readonly<Record<string, string>> = {
  exec: 'script',
  interpreter: 'exec_interpreter',
  interpreterArgs: 'node_args',
  interpreter_args: 'node_args',
  out: 'out_file',
  output: 'out_file',
  out_log: 'out_file',
  error: 'error_file',
  err: 'error_file',
  err_file: 'error_file',
  err_log: 'error_file',
  log: 'log_file',
  pid: 'pid_file',
  cron: 'cron_restart',
  combine_logs: 'merge_logs',
  user: 'uid',
}

/** The environment of one `--env NAME` of PM2. */
export const ENVIRONMENT_KEY = /^env_(.+)$/

/** The app under canonical keys. Of two names for one key the canonical one counts, as in PM2. */
export function canonical(given: Readonly<Record<string, unknown>>): Pm2App {
  const app: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue
    const name = nameOf(key)
    if (!Object.hasOwn(app, name) || name === key) app[name] = value
  }
  return app
}

function nameOf(key: string): string {
  if (Object.hasOwn(ALIASES, key)) return ALIASES[key]!
  // What follows env_ is a name of the user's own.
  if (ENVIRONMENT_KEY.test(key)) return key
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^windows_hide$/, 'windowsHide')
}
