/** The keys of one companion in a config file. Pure. */
import { andThen, bad, type Codec, good } from './codec.ts'
import { argument, choice, matching, optional, text, toggle } from './codecs/basic.ts'
import { environment, list } from './codecs/collections.ts'
import { count, duration, mode, size } from './codecs/numbers.ts'
import { path } from './codecs/paths.ts'
import { account, limits, signal } from './codecs/process.ts'

/** Where a companion's stdout goes. */
export type Output = { readonly kind: 'inherit' } | { readonly kind: 'file'; readonly path: string }
/** Where its stderr goes; `stdout`: wherever stdout goes, through the same descriptor. */
export type StderrOutput = Output | { readonly kind: 'stdout' }

const OUTPUT = 'a path, or "inherit"'

export const output: Codec<Output, string> = {
  allowed: OUTPUT,
  placeholder: 'FILE',
  type: 'string',
  parse: (given) => given,
  check: (value, context) =>
    value === 'inherit'
      ? good({ kind: 'inherit' })
      : andThen(named(value, OUTPUT, context), (file) => good({ kind: 'file', path: file })),
  format: (value) => (value.kind === 'file' ? value.path : value.kind),
}

const STDERR = 'a path, "inherit" or "stdout"'

export const errorOutput: Codec<StderrOutput, string> = {
  ...output,
  allowed: STDERR,
  check: (value, context) =>
    value === 'stdout'
      ? good({ kind: 'stdout' })
      : value === 'inherit'
        ? good({ kind: 'inherit' })
        : andThen(named(value, STDERR, context), (file) => good({ kind: 'file', path: file })),
  format: (value) => (value.kind === 'file' ? value.path : value.kind),
}

const named = (value: unknown, allowed: string, context: { readonly base: string }) => {
  const checked = path.check(value, context)
  return checked.ok ? checked : bad(value, allowed)
}

type Target = { readonly kind: 'target'; readonly module: string; readonly export: string }

const TARGET = '"module:export", such as "./queue.js:run"'

const target: Codec<Target, string> = {
  allowed: TARGET,
  placeholder: 'MODULE:EXPORT',
  type: 'string',
  parse: (given) => given,
  check: (value) => {
    const match =
      typeof value === 'string' ? /^([^\0]*[^\0:]):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(value) : null
    return match === null ? bad(value, TARGET) : good({ kind: 'target', module: match[1]!, export: match[2]! })
  },
  format: (value) => `${value.module}:${value.export}`,
}

const COMMAND = 'a program and its arguments as a list, such as ["node", "queue.js"]'

const argv = list(argument)

const command: Codec<readonly string[], readonly string[]> = {
  ...argv,
  allowed: COMMAND,
  type: 'string[]',
  check: (value, context) =>
    Array.isArray(value) && value.length > 0 && value[0] !== '' ? argv.check(value, context) : bad(value, COMMAND),
  format: (value) => value,
}

const NAME = 'a name of at most 64 letters, digits, ".", "-" and "_"'

/** Each with its meaning at `CompanionConfig`. */
export const COMPANION_FIELDS = {
  name: matching(/^[A-Za-z0-9_][\w.-]{0,63}$/, 'NAME', NAME),
  target,
  command,
  numprocs: count(1, 1000),
  nodeOptions: list(text('OPTION')),
  cwd: path,
  env: environment,
  user: optional(account('user')),
  group: optional(account('group')),
  umask: optional(mode()),
  limits,
  autostart: toggle,
  priority: count(0, 999_999),
  startsecs: duration(),
  autorestart: choice('always', 'unexpected', 'never'),
  exitcodes: list(count(0, 255)),
  startretries: optional(count(0, 1_000_000)),
  onFatal: choice('ignore', 'exit'),
  restartDelay: duration(),
  restartBackoff: choice('fixed', 'exponential'),
  restartDelayMax: duration('more than nothing'),
  stopSignal: signal,
  stopAsGroup: toggle,
  stopTimeout: duration(),
  reloadTimeout: duration(),
  stdout: output,
  stderr: errorOutput,
  logMode: choice('direct', 'pipe'),
  logMaxBytes: size(0, 1024 ** 4),
  logBackups: count(0, 1000),
} as const
