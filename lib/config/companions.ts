/**
 * Companions as a config file describes them (`CompanionEntry`), and as the manager runs them (`CompanionConfig`):
 * every default filled in, `numprocs` spread out. Pure.
 */
import type { ResourceLimit, Signal } from '../kernel/kernel.ts'
import type { Ms } from '../units.ts'
import { andThen, bad, type Checked, type Codec, type Context, good, isRecord, together, within } from './codec.ts'
import { checkFields, formatFields, type Some, type SomeInput } from './codecs/record.ts'
import { COMPANION_FIELDS, type Output, type StderrOutput } from './companion-fields.ts'

type FieldTypes = typeof COMPANION_FIELDS

/** A companion in a config file, checked; what is not said is not there. */
export type CompanionEntry = Some<FieldTypes> & { readonly name: string }

/** A companion in a config file: `name`, one of `target` and `command`, and whatever differs from the defaults. */
export type CompanionInput = SomeInput<FieldTypes> & { readonly name: string }

/** What a companion runs: an export of a module, called without arguments, or any program. */
export type CompanionRun =
  | { readonly kind: 'target'; readonly module: string; readonly export: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] }

/** One process to supervise, with nothing left to decide. */
export type CompanionConfig = {
  /** Unique. `worker`, or `worker:0`, `worker:1` … where `numprocs` is above 1. */
  readonly name: string
  /** The name in the config file, shared by all processes of one entry. */
  readonly family: string
  /** 0 … numprocs - 1. */
  readonly instance: number
  readonly run: CompanionRun
  /** Options for the Node that runs a `target`. */
  readonly nodeOptions: readonly string[]
  /** Absolute. */
  readonly cwd: string
  /** Over the manager's own environment. */
  readonly env: Readonly<Record<string, string>>
  readonly user: string | number | null
  readonly group: string | number | null
  readonly umask: number | null
  readonly limits: readonly ResourceLimit[]
  /** Start with the manager; otherwise it is STOPPED until somebody starts it. */
  readonly autostart: boolean
  /** Lower ones start first and stop last. */
  readonly priority: number
  readonly startsecs: Ms
  /** `unexpected`: when the exit code is not in `exitcodes`. */
  readonly autorestart: 'always' | 'unexpected' | 'never'
  readonly exitcodes: readonly number[]
  /** Failed starts in a row after which it is FATAL; null: it is tried for ever. */
  readonly startretries: number | null
  /** `exit`: when it is FATAL, everything stops and monoceros exits. */
  readonly onFatal: 'ignore' | 'exit'
  readonly restartDelay: Ms
  /** `exponential`: the delay doubles with each failure in a row, up to `restartDelayMax`. */
  readonly restartBackoff: 'fixed' | 'exponential'
  readonly restartDelayMax: Ms
  readonly stopSignal: Signal
  /** The stop signal goes to the companion's whole process group; otherwise to its own process alone. */
  readonly stopAsGroup: boolean
  readonly stopTimeout: Ms
  /** As `stopTimeout`, when it is stopped in order to be started again. */
  readonly reloadTimeout: Ms
  readonly stdout: Output
  readonly stderr: StderrOutput
  /** `direct`: the companion writes to its file itself. `pipe`: through the manager, which can reopen and rotate it. */
  readonly logMode: 'direct' | 'pipe'
  /** Rotate a log file when it would grow over so many bytes; 0: never. */
  readonly logMaxBytes: number
  /** How many rotated files are kept: `FILE.1` is the youngest. */
  readonly logBackups: number
}

/** The global defaults, as `user`, `group`, `umask` and the settings `companion…` give them. */
export type CompanionDefaults = Pick<
  CompanionConfig,
  | 'cwd'
  | 'env'
  | 'user'
  | 'group'
  | 'umask'
  | 'stopSignal'
  | 'stopTimeout'
  | 'reloadTimeout'
  | 'startsecs'
  | 'restartDelay'
  | 'stdout'
  | 'stderr'
>

const ALLOWED = 'a list of companions, such as [{ name: "queue", command: ["node", "queue.js"] }]'

/** The setting `companions`. */
export const companionList: Codec<readonly CompanionEntry[], readonly CompanionInput[]> = {
  allowed: ALLOWED,
  placeholder: 'COMPANIONS',
  type: 'Companion[]',
  parse: (text) => text,
  check: (value, context) => {
    if (!Array.isArray(value)) return bad(value, ALLOWED)
    const entries = value.map((part, index) => within(index, checkEntry(part, context)))
    const names = value.flatMap((part, index) => claimed(part).map((name) => ({ name, index })))
    const twice = names.filter(({ name, index }) => names.some((other) => other.name === name && other.index < index))
    const clashes = twice.map(({ name, index }) =>
      within(index, within('name', bad(name, 'a name that no other companion has'))),
    )
    return andThen(together<CompanionEntry>([...entries, ...clashes]), good)
  },
  format: (value) => value.map((entry) => formatFields(COMPANION_FIELDS, entry, false) as CompanionInput),
  hide: (value) => value.map((entry) => formatFields(COMPANION_FIELDS, entry, true)),
}

function checkEntry(part: unknown, context: Context): Checked<CompanionEntry> {
  const fields = checkFields(COMPANION_FIELDS, 'a companion: { name, command } or { name, target }', part, context)
  if (!isRecord(part)) return fields as Checked<never>
  const whole: Checked<unknown>[] = [fields]
  const missing = (key: string, allowed: string) =>
    whole.push({ ok: false, faults: [{ kind: 'missing', path: [key], allowed }] })
  if (part.name === undefined) missing('name', COMPANION_FIELDS.name.allowed)
  if (part.target === undefined && part.command === undefined) missing('command', 'one of "command" and "target"')
  if (part.target !== undefined && part.command !== undefined)
    whole.push(within('target', bad(part.target, 'one of "command" and "target", not both')))
  return andThen(together(whole), () => fields as Checked<CompanionEntry>)
}

/** The names of the processes that an entry, checked or not, makes. */
function claimed(part: unknown): string[] {
  if (!isRecord(part) || typeof part.name !== 'string') return []
  const copies = typeof part.numprocs === 'number' ? Math.min(part.numprocs, 1000) : 1
  return instances(part.name, copies)
}

const instances = (name: string, copies: number): string[] =>
  copies > 1 ? Array.from({ length: copies }, (_, index) => `${name}:${index}`) : [name]

/** Every process to supervise, in the order of the config file. */
export function companionConfigs(entries: readonly CompanionEntry[], defaults: CompanionDefaults): CompanionConfig[] {
  return entries.flatMap((entry) =>
    instances(entry.name, entry.numprocs ?? 1).map((name, instance) => ({
      name,
      family: entry.name,
      instance,
      run: entry.target ?? { kind: 'command' as const, argv: entry.command ?? [] },
      nodeOptions: entry.nodeOptions ?? [],
      cwd: entry.cwd ?? defaults.cwd,
      env: { ...defaults.env, ...entry.env },
      user: entry.user === undefined ? defaults.user : entry.user,
      // Of another user, its own group and not that of the workers.
      group: entry.group === undefined && entry.user === undefined ? defaults.group : (entry.group ?? null),
      umask: entry.umask ?? defaults.umask,
      limits: entry.limits ?? [],
      autostart: entry.autostart ?? true,
      priority: entry.priority ?? 999,
      startsecs: entry.startsecs ?? defaults.startsecs,
      autorestart: entry.autorestart ?? 'always',
      exitcodes: entry.exitcodes ?? [0],
      startretries: entry.startretries ?? null,
      onFatal: entry.onFatal ?? 'ignore',
      restartDelay: entry.restartDelay ?? defaults.restartDelay,
      restartBackoff: entry.restartBackoff ?? 'fixed',
      restartDelayMax: entry.restartDelayMax ?? FIVE_MINUTES,
      stopSignal: entry.stopSignal ?? defaults.stopSignal,
      stopAsGroup: entry.stopAsGroup ?? true,
      stopTimeout: entry.stopTimeout ?? defaults.stopTimeout,
      reloadTimeout: entry.reloadTimeout ?? defaults.reloadTimeout,
      stdout: entry.stdout ?? defaults.stdout,
      stderr: entry.stderr ?? defaults.stderr,
      logMode: entry.logMode ?? 'direct',
      logMaxBytes: entry.logMaxBytes ?? 0,
      logBackups: entry.logBackups ?? 10,
    })),
  )
}

const FIVE_MINUTES = 300_000 as Ms
