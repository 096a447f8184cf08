/** What becomes of each key of PM2: one row a key, for the app and for a companion. Pure. */
import type { Pm2App } from './keys.ts'
import { duration, named, size, text, texts, whole, words } from './values.ts'

export type Settings = Readonly<Record<string, unknown>>

/** `set` goes into the config; `note` is told to the user: the key has no counterpart, or not quite. */
export type Made = { readonly set?: Settings; readonly note?: string }

type Conversion = (value: unknown, app: Pm2App) => Made

/** What becomes of a key of the app that serves, and of one beside it. */
export type Row = { readonly app: Conversion; readonly companion: Conversion }

const DONE = (): Made => ({})
const none =
  (note: string): Conversion =>
  (value) =>
    value === false ? {} : { note: `no counterpart: ${note}` }

/** Under another name; a value that is not understood is told. */
const as =
  (name: string, convert: (value: unknown) => unknown, note?: string): Conversion =>
  (value) => {
    const made = convert(value)
    if (made === null) return { note: `is ${JSON.stringify(value)}, which is not understood; see ${name}` }
    return { set: { [name]: made }, ...(note === undefined ? {} : { note }) }
  }

const both = (conversion: Conversion): Row => ({ app: conversion, companion: conversion })

const truth = (value: unknown): boolean => value === true || value === 'true'

/** PM2 means "nowhere" by either. */
const file = (value: unknown): string | null => (value === 'NULL' ? '/dev/null' : text(value))

const WATCH = 'a companion is not restarted on change; monocerosctl restart NAME does it'
const LOG_TIME = 'the log of monoceros has the time of every event, in UTC; what the app prints is not changed'
const DAEMON = 'monoceros has no daemon that would need it'
const MONITORING = 'see metricsBind for what is measured'

export const ROWS: Readonly<Record<string, Row>> = {
  // What is run: see program.ts.
  script: both(DONE),
  args: both(DONE),
  exec_interpreter: both(DONE),
  node_args: both(DONE),
  execute_command: both(DONE),
  exec_mode: both(DONE),
  cwd: both(DONE),
  port: both((value) => ({ set: { env: { PORT: String(value) } } })),
  env: both(as('env', texts)),

  name: {
    app: as('procName', (value) => named(String(value), /[^\w .:@+-]/g)),
    companion: DONE,
  },
  instances: {
    app: (value) => {
      if (value === 'max' || Number(value) === 0) return { set: { workers: 'auto' } }
      if (Number(value) < 0) return { set: { workers: 'auto' }, note: `"auto" leaves no CPU out, ${value} did` }
      return as('workers', whole)(value, {})
    },
    companion: (value) =>
      Number(value) > 1
        ? as('numprocs', whole)(value, {})
        : value === 'max' || Number(value) <= 0
          ? { note: 'a companion has a fixed number of processes: set numprocs' }
          : {},
  },
  increment_var: both(none('instanceVar gives each worker its slot')),
  instance_var: {
    app: as('instanceVar', text),
    companion: none('only workers have a slot'),
  },
  uid: both(as('user', (value) => value)),
  username: both(DONE),
  gid: both(as('group', (value) => value)),

  watch: {
    app: (value) => {
      if (value === false) return {}
      const others = value === true ? '' : '; reloadExtraFiles names files beside those'
      return { set: { reload: true }, note: `reload, for development, watches what the app loads${others}` }
    },
    companion: none(WATCH),
  },
  ignore_watch: both(none('only what is loaded is watched')),
  watch_delay: both(none('changes within a moment are one reload')),
  watch_options: both(none('only what is loaded is watched')),

  max_memory_restart: {
    app: as('maxMemory', size),
    companion: none("limits: { AS: … }, or MemoryMax= of the service's unit"),
  },
  min_uptime: both(as('startsecs', duration)),
  max_restarts: { app: as('crashLimit', whole), companion: as('startretries', whole) },
  restart_delay: both(as('restartDelay', duration)),
  exp_backoff_restart_delay: {
    app: as('restartDelay', duration),
    companion: (value) => {
      const { set, note } = as('restartDelay', duration)(value, {})
      return { set: { ...set, restartBackoff: 'exponential' }, ...(note === undefined ? {} : { note }) }
    },
  },
  autostart: {
    app: (value) => (value === false ? { note: 'no counterpart: workers are started with the service' } : {}),
    companion: as('autostart', (value) => value !== false),
  },
  autorestart: {
    app: (value) => (value === false ? { note: 'no counterpart: a worker that ends is always replaced' } : {}),
    companion: (value) => (value === false ? { set: { autorestart: 'never' } } : {}),
  },
  stop_exit_codes: {
    app: none('a worker that ends is always replaced'),
    companion: (value) => ({ set: { autorestart: 'unexpected', exitcodes: [value].flat().map(Number) } }),
  },
  cron_restart: {
    app: none('a timer of systemd that runs monocerosctl reload'),
    companion: none('a timer of systemd that runs monocerosctl restart NAME'),
  },

  wait_ready: {
    app: as('waitReady', truth),
    companion: none('a companion counts as RUNNING after startsecs'),
  },
  listen_timeout: {
    app: as('bootTimeout', duration),
    companion: none('a companion counts as RUNNING after startsecs'),
  },
  kill_timeout: {
    app: as('gracefulTimeout', duration, 'gracefulTimeout is 30s unless set: is so short a time still wanted?'),
    companion: (value) => {
      const made = as('stopTimeout', duration)(value, {})
      return made.set === undefined ? made : { set: { ...made.set, reloadTimeout: made.set.stopTimeout } }
    },
  },
  kill_retry_time: both(none('the kernel tells when a process has ended')),
  shutdown_with_message: both(none('handlers of SIGTERM (or SIGINT) are called, no message comes')),
  treekill: {
    app: (value) => (value === false ? { note: 'no counterpart: what a worker started ends with it' } : {}),
    companion: (value) => (value === false ? { set: { stopAsGroup: false } } : {}),
  },

  out_file: {
    app: (value, app) =>
      app.error_file === undefined
        ? as('errorlog', file)(value, app)
        : app.error_file === value
          ? {}
          : { note: 'stdout of workers goes where their stderr goes: to errorlog' },
    companion: as('stdout', file),
  },
  error_file: {
    app: as('errorlog', file),
    companion: (value, app) =>
      value === app.out_file ? { set: { stderr: 'stdout' } } : as('stderr', file)(value, app),
  },
  log_file: {
    app: (value, app) => {
      if (typeof value === 'boolean') return {}
      return app.error_file === undefined && app.out_file === undefined
        ? as('errorlog', file)(value, app)
        : { note: 'no counterpart: errorlog has both, no second copy is written' }
    },
    companion: (value, app) => {
      if (typeof value === 'boolean') return {}
      const made = as('stdout', file)(value, app)
      return app.error_file === undefined && app.out_file === undefined
        ? { ...made, set: { ...made.set, stderr: 'stdout' } }
        : { note: 'no counterpart: no second copy of stdout and stderr is written' }
    },
  },
  disable_logs: {
    app: (value) => (truth(value) ? { set: { errorlog: '/dev/null' } } : {}),
    companion: (value) => (truth(value) ? { set: { stdout: '/dev/null', stderr: 'stdout' } } : {}),
  },
  merge_logs: both((value) =>
    value === false ? { note: 'no counterpart: all processes of one name write to the same file' } : {},
  ),
  log_type: {
    app: (value) => (value === 'json' ? { set: { logFormat: 'json' } } : {}),
    companion: (value) => (value === 'json' ? none('what a companion prints is not changed')(value, {}) : {}),
  },
  log_date_format: both(none(LOG_TIME)),
  time: both(none(LOG_TIME)),
  pid_file: {
    app: as('pidfile', text),
    companion: none('monocerosctl status shows the pid'),
  },

  source_map_support: both((value) => (truth(value) ? { set: { nodeOptions: ['--enable-source-maps'] } } : {})),
  disable_source_map_support: both(DONE),
  name_prefix: both(none('procName is one name')),
  namespace: both(none('one instance serves one app and its companions')),
  filter_env: both(none('the environment is that which the service manager gives')),
  append_env_to_name: both(none('set procName by the environment: the config file is a program')),
  install_url: both(none(DAEMON)),
  post_update: both(none('your own way to deploy, then monocerosctl reload')),
  force: both(none(DAEMON)),
  write: both(none(DAEMON)),
  vizion: both(none(DAEMON)),
  windowsHide: both(DONE),
  automation: both(none(MONITORING)),
  pmx: both(none(MONITORING)),
  io: both(none(MONITORING)),
  trace: both(none(MONITORING)),
  disable_trace: both(none(MONITORING)),
  v8: both(none(MONITORING)),
  event_loop_inspector: both(none(MONITORING)),
  deep_monitoring: both(none(MONITORING)),
}

/** Node's own options of an app; null where they are not understood. */
export const nodeOptionsOf = (app: Pm2App): readonly string[] | null =>
  app.node_args === undefined ? [] : words(app.node_args)
