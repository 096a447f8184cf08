/** An `ecosystem.config.js` as settings, and what is to be said about it. Pure. */
import { isAbsolute, join, relative, resolve } from 'node:path'
import { isRecord } from '../../config/codec.ts'
import { canonical, ENVIRONMENT_KEY, type Pm2App } from './keys.ts'
import { commandOf, isCluster, isNode, programOf } from './program.ts'
import { ROWS, type Settings } from './rows.ts'
import { named, text } from './values.ts'

export type Converted = { readonly settings: Settings; readonly notes: readonly string[] }

export type ConvertOptions = {
  /** Which app becomes the app; null: the first that PM2 runs as a cluster, else that has a port, else the first of Node. */
  readonly app: string | null
  /** As in `pm2 start --env NAME`. */
  readonly environment: string | null
  /** Where the file stands; what relative paths start at. */
  readonly folder: string
}

/** Or, in one line, why it cannot be. */
export function convert(exported: unknown, options: ConvertOptions): Converted | { readonly problem: string } {
  const apps = appsOf(exported)
  if (apps === null) return { problem: 'has no apps; needed: { apps: [{ script: "server.js", … }] }' }
  const main = mainOf(apps, options.app)
  if (typeof main === 'string') return { problem: main }
  const unknown = unknownEnvironment(apps, options.environment)
  if (unknown !== null) return { problem: unknown }
  const notes: string[] = []
  if (isRecord(exported) && exported.deploy !== undefined)
    notes.push('deploy: no counterpart: your own way to deploy, then monocerosctl reload')
  if (options.app === null && apps.length > 1 && !isCluster(main))
    notes.push(`${nameOf(main)}: is taken for the app that serves HTTP; --app NAME chooses another`)
  const settings = convertApp(main, options, notes)
  const companions = companionsOf(apps, main, { options, notes })
  return { settings: companions.length === 0 ? settings : { ...settings, companions }, notes }
}

/** `{ apps }`, a list of apps, or a single one. */
function appsOf(exported: unknown): Pm2App[] | null {
  const given = isRecord(exported) && exported.apps !== undefined ? exported.apps : exported
  const list = Array.isArray(given) ? given : [given]
  if (list.length === 0 || !list.every((one) => isRecord(one) && (one.script ?? one.exec) !== undefined)) return null
  return list.map(canonical)
}

function mainOf(apps: readonly Pm2App[], wanted: string | null): Pm2App | string {
  const names = apps.map(nameOf).join(', ')
  if (wanted !== null) {
    const found = apps.find((app) => nameOf(app) === wanted)
    if (found === undefined) return `has no app ${JSON.stringify(wanted)}; there are: ${names}`
    return isNode(programOf(found)) ? found : `${wanted} is no program of Node, so it can only be a companion`
  }
  const ofNode = apps.filter((app) => isNode(programOf(app)))
  return (
    ofNode.find(isCluster) ??
    ofNode.find((app) => app.port !== undefined || (isRecord(app.env) && app.env.PORT !== undefined)) ??
    ofNode[0] ??
    `has no program of Node that could be the app; there are: ${names}`
  )
}

/** Null where an app has that environment, or none is asked for. */
function unknownEnvironment(apps: readonly Pm2App[], wanted: string | null): string | null {
  const found = apps.flatMap(Object.keys).flatMap((key) => ENVIRONMENT_KEY.exec(key)?.[1] ?? [])
  if (wanted === null || found.includes(wanted)) return null
  const there = found.length === 0 ? 'there is none' : `there are: ${[...new Set(found)].join(', ')}`
  return `has no app with an environment ${JSON.stringify(wanted)} (env_${wanted}); ${there}`
}

const nameOf = (app: Pm2App): string => text(app.name) ?? programOf(app).script.replace(/^.*\/|\.[^./]*$/g, '')

type Noted = { readonly options: ConvertOptions; readonly notes: string[] }

function convertApp(app: Pm2App, options: ConvertOptions, notes: string[]): Settings {
  const { script, options: nodeOptions, args, interpreter } = programOf(app)
  if (interpreter !== 'node')
    notes.push(`${nameOf(app)}: interpreter: no counterpart: workers run with the Node that runs monoceros`)
  return merged([
    { app: script, args: args.length === 0 ? undefined : args, chdir: text(app.cwd) ?? undefined },
    ...rowsOf(app, 'app', { options, notes }),
    { nodeOptions: nodeOptions.length === 0 ? undefined : nodeOptions },
  ])
}

function companionsOf(apps: readonly Pm2App[], main: Pm2App, noted: Noted): Settings[] {
  const taken = new Set<string>()
  return apps.flatMap((app) => {
    if (app === main) return []
    if (isCluster(app)) {
      noted.notes.push(
        `${nameOf(app)}: is left out: it serves HTTP too, so it is an instance of its own: --app ${nameOf(app)}`,
      )
      return []
    }
    const name = unique(named(nameOf(app), /[^\w.-]/g), taken)
    return [{ name, ...convertCompanion(app, main, noted) }]
  })
}

function unique(name: string, taken: Set<string>): string {
  let found = name
  for (let n = 2; taken.has(found); n += 1) found = `${name.slice(0, 60)}-${n}`
  taken.add(found)
  return found
}

function convertCompanion(app: Pm2App, main: Pm2App, noted: Noted): Settings {
  const { folder } = noted.options
  const cwd = text(app.cwd)
  const base = resolve(folder, text(main.cwd) ?? '.')
  const own = resolve(folder, cwd ?? '.')
  const rows = merged(rowsOf(app, 'companion', noted))
  // PM2 looks for an app's log files from the app's own folder, monoceros from that of the service.
  const placed = Object.entries(rows).map(([key, value]) => {
    const isFile = (key === 'stdout' || key === 'stderr') && value !== 'stdout' && typeof value === 'string'
    return [key, !isFile || isAbsolute(value) ? value : relative(base, join(own, value))]
  })
  const { nodeOptions, ...fields } = Object.fromEntries(placed)
  const program = programOf(app)
  const command = commandOf({ ...program, options: [...program.options, ...((nodeOptions as string[]) ?? [])] })
  const place = own === base ? {} : { cwd: cwd !== null && isAbsolute(cwd) ? cwd : relative(base, own) }
  return { command, ...place, ...fields }
}

/** What the rows make of an app's keys; the chosen environment lies over `env`. */
function rowsOf(app: Pm2App, kind: 'app' | 'companion', { options, notes }: Noted): Settings[] {
  const say = (key: string, note: string): void => void notes.push(`${nameOf(app)}: ${key}: ${note}`)
  const chosen = options.environment === null ? undefined : app[`env_${options.environment}`]
  const made = Object.entries(app).flatMap(([key, value]) => {
    const environment = ENVIRONMENT_KEY.exec(key)?.[1]
    if (environment !== undefined) {
      if (environment !== options.environment) say(key, `is left out; --env ${environment} takes it`)
      return []
    }
    const row = Object.hasOwn(ROWS, key) ? ROWS[key] : undefined
    if (row === undefined) {
      say(key, 'is left out: PM2 7 has no such key')
      return []
    }
    const { set, note } = row[kind](value, app)
    if (note !== undefined) say(key, note)
    return set === undefined ? [] : [set]
  })
  const { set } = chosen === undefined ? {} : ROWS.env![kind](chosen, app)
  return set === undefined ? made : [...made, set]
}

/** One after the other; variables and Node's options add up. */
function merged(parts: readonly Settings[]): Settings {
  const whole: Record<string, unknown> = {}
  for (const [key, value] of parts.flatMap((part) => Object.entries(part))) {
    if (value === undefined) continue
    const before = whole[key]
    if (isRecord(before) && isRecord(value)) whole[key] = { ...before, ...value }
    else whole[key] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
  }
  return whole
}
