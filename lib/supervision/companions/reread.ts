/**
 * A new configuration, compared with the one in force by name and hash. It has been validated whole before; here it is
 * taken whole, or refused and nothing has changed.
 *
 *   new name       added and started
 *   gone           stopped; kept until its process is reaped, its kill deadline too, then forgotten
 *   added again    while the old one still leaves: the new one starts when the old one is reaped
 *   changed        stored and restarted; one that was stopped by hand stays STOPPED, with the new one ready
 *   same           untouched
 *
 * `unchanged` in the answer lists those to whose processes nothing is done, changed ones that were stopped by hand among
 * them.
 */
import type { Ms } from '../../units.ts'
import type { Companion, Companions, Spec, Step } from '../companions.ts'
import { pidOf } from '../life.ts'
import { add, close, type Draft, inStartOrder, inStopOrder, isManual, live, open, settle } from './draft.ts'

export type RereadAnswer =
  | {
      readonly ok: true
      readonly added: readonly string[]
      readonly removed: readonly string[]
      readonly restarted: readonly string[]
      readonly unchanged: readonly string[]
    }
  | { readonly ok: false; readonly error: string; readonly kept_old_config: true }

type Fate = 'added' | 'restarted' | 'unchanged'

export function reread(
  companions: Companions,
  specs: readonly Spec[],
  now: Ms,
): Step & { readonly answer: RereadAnswer } {
  const refusal = refuse(companions, specs)
  if (refusal !== null) {
    return { companions, effects: [], answer: { ok: false, error: refusal, kept_old_config: true } }
  }
  const draft = open(companions, now)
  const gone = companions.members.filter(
    ({ spec, farewell }) => isWanted(farewell) && !specs.some(({ name }) => name === spec.name),
  )
  for (const { spec } of inStopOrder(gone)) dismiss(draft, spec.name)
  const fates = new Map<string, Fate>()
  for (const { spec } of inStartOrder(specs.map((spec) => ({ spec }) as Companion))) {
    fates.set(spec.name, take(draft, spec))
  }
  arrange(draft, specs)
  settle(draft)
  const named = (fate: Fate) => specs.map(({ name }) => name).filter((name) => fates.get(name) === fate)
  return {
    ...close(draft),
    answer: {
      ok: true,
      added: named('added'),
      removed: gone.map(({ spec }) => spec.name),
      restarted: named('restarted'),
      unchanged: named('unchanged'),
    },
  }
}

function refuse({ mode }: Companions, specs: readonly Spec[]): string | null {
  if (mode !== 'running') return `the manager is ${mode}`
  const names = new Set<string>()
  for (const { name } of specs) {
    if (names.has(name)) return `invalid config: duplicate companion name ${name}`
    names.add(name)
  }
  return null
}

/** Part of the configuration in force: not leaving, or to be followed by an heir. */
const isWanted = (farewell: Companion['farewell']): boolean => farewell === null || farewell.heir !== null

function dismiss(draft: Draft, name: string): void {
  const at = draft.members.findIndex(({ spec }) => spec.name === name)
  draft.members[at] = { ...draft.members[at]!, next: null, farewell: { heir: null } }
  live(draft, name, { kind: 'stop', how: 'stop' })
}

function take(draft: Draft, spec: Spec): Fate {
  const at = draft.members.findIndex((member) => member.spec.name === spec.name)
  const member = draft.members[at]
  if (member === undefined) {
    add(draft, spec)
    if (!isManual(spec)) live(draft, spec.name, { kind: 'start' })
    return 'added'
  }
  if (member.farewell !== null) return inherit(draft, at, member, spec)
  if ((member.next ?? member.spec).hash === spec.hash) return 'unchanged'
  const isFree = pidOf(member.life) === null && member.life.phase.kind !== 'spawning'
  draft.members[at] = isFree ? { ...member, spec } : { ...member, next: spec }
  if (member.manualStop) return 'unchanged'
  live(draft, spec.name, { kind: 'restart' })
  return 'restarted'
}

/** The old one still leaves. */
function inherit(draft: Draft, at: number, member: Companion, spec: Spec): Fate {
  const heir = member.farewell?.heir ?? null
  if (heir !== null && heir.hash === spec.hash) return 'unchanged'
  draft.members[at] = {
    ...member,
    farewell: { heir: spec },
    manualStop: heir === null ? isManual(spec) : member.manualStop,
  }
  if (heir === null) return 'added'
  return member.manualStop ? 'unchanged' : 'restarted'
}

/** The order of the configuration; those who leave it last. */
function arrange(draft: Draft, specs: readonly Spec[]): void {
  const place = new Map(specs.map(({ name }, index) => [name, index]))
  const at = ({ spec }: Companion) => place.get(spec.name) ?? specs.length
  draft.members.sort((one, other) => at(one) - at(other))
}
