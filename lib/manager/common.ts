/**
 * What `target` companions have in common, so that they can be forked from one mold, and which of them cannot, because
 * what they are set to must stand before Node starts or before their module is loaded. Pure.
 */
import type { Loaded, TargetModule } from '../channel/mold-messages.ts'
import type { CompanionConfig } from '../config/companions.ts'
import { unforkable } from '../config/unforkable.ts'
import type { Identity } from '../system/identity.ts'

/** A `target` companion as it would be started. */
export type Candidate = {
  readonly config: CompanionConfig
  /** The whole of it. */
  readonly env: Readonly<Record<string, string>>
  readonly identity: Identity | null
}

/** What their mold is started with. */
export type Common = Pick<Candidate, 'identity'> & {
  readonly nodeOptions: readonly string[]
  /** Each variable as most of them have it. */
  readonly env: Readonly<Record<string, string>>
  /** What it loads. */
  readonly modules: readonly TargetModule[]
}

/** Variables that Node, its libraries or the C library read once, when the process starts. */
const READ_AT_START = /^(NODE_(?!ENV$)|LD_|LC_|LANG$|LANGUAGE$|OPENSSL_|SSL_CERT_|MALLOC_|GLIBC_|UV_)/

/** As most of them are; of several such groups, the first one's. Null where none can be forked. */
export function commonOf(candidates: readonly Candidate[]): Common | null {
  const groups = new Map<string, Candidate[]>()
  for (const candidate of candidates) {
    if (candidate.config.limits.length > 0 || unforkable(optionsOf(candidate)) !== null) continue
    const key = JSON.stringify(startOf(candidate))
    groups.set(key, [...(groups.get(key) ?? []), candidate])
  }
  const members = [...groups.values()].reduce((most, one) => (one.length > most.length ? one : most), [])
  const [first] = members
  if (first === undefined) return null
  return {
    nodeOptions: first.config.nodeOptions,
    identity: first.identity,
    env: usualOf(members.map(({ env }) => env)),
    modules: distinct(members.flatMap(({ config }) => moduleOf(config) ?? [])),
  }
}

/** Each variable with the value that more than half of them have. */
function usualOf(all: readonly Candidate['env'][]): Candidate['env'] {
  const usual: Record<string, string> = {}
  for (const env of all)
    for (const [name, value] of Object.entries(env))
      if (usual[name] === undefined && 2 * all.filter((one) => one[name] === value).length > all.length)
        usual[name] = value
  return usual
}

export const moduleOf = ({ run, cwd }: CompanionConfig): TargetModule | null =>
  run.kind === 'target' ? { module: run.module, cwd } : null

/** Where a companion's module stands among those of the mold; -1: nowhere. */
export const placeOf = (modules: readonly TargetModule[], config: CompanionConfig): number =>
  modules.findIndex(
    ({ module, cwd }) => config.run.kind === 'target' && module === config.run.module && cwd === config.cwd,
  )

/** Why a companion must be exec'd, in a few words; null: it can be forked. `loaded`: what the mold has said, when it has. */
export function whyNot(candidate: Candidate, common: Common, loaded: Loaded | null): string | null {
  const { config, env, identity } = candidate
  const option = unforkable(optionsOf(candidate))
  if (option !== null) return `it has ${option}`
  if (config.limits.length > 0) return 'its limits must stand before Node starts'
  if (JSON.stringify(identity) !== JSON.stringify(common.identity)) return 'it runs as another user than the others'
  if (JSON.stringify(config.nodeOptions) !== JSON.stringify(common.nodeOptions))
    return 'its nodeOptions differ from the others’'
  const names = new Set([...Object.keys(env), ...Object.keys(common.env)])
  const own = [...names].filter((name) => env[name] !== common.env[name])
  const early = own.find((name) => READ_AT_START.test(name))
  if (early !== undefined) return `its ${early} must stand before Node starts`
  const at = placeOf(common.modules, config)
  const broken = loaded?.broken.find((one) => one.at === at)
  if (broken !== undefined) return `its module could not be loaded: ${broken.text}`
  const alone = loaded?.alone.find((one) => one.at === at)
  if (alone !== undefined) return alone.text
  const read = own.find((name) => loaded?.variables.includes(name))
  if (read !== undefined) return `its ${read} was asked for while modules were loaded`
  if (loaded?.all && own.length > 0) return 'the whole environment was copied while modules were loaded'
  return null
}

const optionsOf = ({ config, env }: Candidate): readonly string[] => [
  ...config.nodeOptions,
  ...(env.NODE_OPTIONS ?? '').split(/\s+/),
]

/** What must be equal for all that are forked from one mold. */
function startOf({ config, env, identity }: Candidate): unknown {
  const early = Object.keys(env).filter((name) => READ_AT_START.test(name))
  return [config.nodeOptions, identity, early.sort().map((name) => [name, env[name]])]
}

function distinct(modules: readonly TargetModule[]): TargetModule[] {
  return modules.filter(
    ({ module, cwd }, at) => modules.findIndex((one) => one.module === module && one.cwd === cwd) === at,
  )
}
