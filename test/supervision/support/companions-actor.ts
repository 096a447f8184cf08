/**
 * A set of companions that reads its events from a transcript and writes its effects as one. A spec is written
 * `name`, `name=hash` or `name=hash@priority`. Pids count from 101.
 */
import { command } from '../../../lib/supervision/companions/commands.ts'
import { reread } from '../../../lib/supervision/companions/reread.ts'
import { status } from '../../../lib/supervision/companions/status.ts'
import {
  type Companions,
  deadline,
  type Effect,
  type Event,
  newCompanions,
  type Spec,
  step,
} from '../../../lib/supervision/companions.ts'
import { exitWords, troubleWords } from '../../../lib/supervision/describe.ts'
import { type LifePolicy, pidOf } from '../../../lib/supervision/life.ts'
import { ms, pid } from '../../../lib/units.ts'
import { COMPANION } from './policy.ts'
import { type Actor, exitOf } from './transcript.ts'

/** Wall-clock time when the transcript begins. */
const BEGIN = Date.UTC(2030, 0, 1)

export class CompanionsActor implements Actor {
  #companions: Companions = newCompanions([], 1)
  #policy: LifePolicy = COMPANION
  #now = 0
  #nextPid = 101

  /** `autorestart always`, or a number of the policy: `startretries 1`, `gracefulTimeout 100`. */
  set([name, value]: readonly string[]): void {
    const { restart } = this.#policy
    if (name === 'autorestart') {
      this.#policy = { ...this.#policy, restart: { ...restart, autorestart: value as 'always' } }
    } else if (name === 'startretries') {
      this.#policy = { ...this.#policy, restart: { ...restart, startretries: Number(value) } }
    } else this.#policy = { ...this.#policy, [name!]: Number(value) }
  }

  tell([word, ...words]: readonly string[]): readonly string[] {
    switch (word) {
      case 'configured':
        this.#companions = newCompanions(
          words.map((text) => this.#spec(text)),
          1,
        )
        return []
      case 'begin':
        return this.#step({ kind: 'start' })
      case 'shutdown':
        return this.#step({ kind: 'shutdown', how: words[0] as 'graceful' | 'quick' })
      case 'start':
      case 'stop':
      case 'restart':
        return words.flatMap((name) => this.#answered(command(this.#companions, { kind: word, name }, ms(this.#now))))
      case 'reread':
        return this.#answered(
          reread(
            this.#companions,
            words.map((text) => this.#spec(text)),
            ms(this.#now),
          ),
        )
      case 'spawned':
        return words.flatMap((name) => this.#step({ kind: 'spawned', name, pid: pid(this.#nextPid++) }))
      case 'spawnFailed':
        return this.#step({ kind: word, name: words[0]!, error: words.slice(1).join(' ') })
      case 'exited':
        return this.#step({ kind: word, name: words[0]!, pid: this.#pidOf(words[0]!), exit: exitOf(words.slice(1)) })
      case 'gap':
        this.#now += Number(words[0])
        return this.#step({ kind: 'gap', ms: ms(Number(words[0])) })
      case 'wait':
        this.#now = words[0] === undefined ? deadline(this.#companions)! : this.#now + Number(words[0])
        return this.#step({ kind: 'tick' })
      case 'status':
        return status(this.#companions, ms(this.#now), BEGIN + this.#now).map((row) => JSON.stringify(row))
      default:
        throw new Error(`companions do not know "${word}"`)
    }
  }

  #spec(text: string): Spec {
    const [, name = '', hash = 'a', priority = '999'] = /^([^=@]+)(?:=([^@]+))?(?:@(.+))?$/.exec(text) ?? []
    return { name, hash, priority: Number(priority), policy: this.#policy }
  }

  #pidOf(name: string) {
    const member = this.#companions.members.find(({ spec }) => spec.name === name)
    const found = member === undefined ? null : pidOf(member.life)
    if (found === null) throw new Error(`${name} has no process`)
    return found
  }

  #step(event: Event): string[] {
    const given = step(this.#companions, event, ms(this.#now))
    this.#companions = given.companions
    return given.effects.map((effect) => this.#words(effect))
  }

  #answered(given: { companions: Companions; effects: readonly Effect[]; answer: object }): string[] {
    this.#companions = given.companions
    return [...given.effects.map((effect) => this.#words(effect)), JSON.stringify(given.answer)]
  }

  #words(effect: Effect): string {
    switch (effect.kind) {
      case 'spawn':
        return `spawn ${effect.name}=${effect.hash}`
      case 'abandon':
        return `abandon ${effect.name}`
      case 'signal':
        return `${effect.how} ${effect.name}=${effect.hash} pid ${effect.pid}`
      case 'moved': {
        const { name, from, to } = effect
        const left = from.last === to.last ? '' : ` (${exitWords(to.last!.exit)})`
        const until = to.phase.kind === 'waiting' ? ` for ${to.phase.until - this.#now} ms` : ''
        return `moved ${name} ${from.phase.kind} to ${to.phase.kind}${until}${left}`
      }
      case 'fatal':
        return `fatal ${effect.name}: ${troubleWords(effect.trouble)}`
      case 'emptied':
        return 'emptied'
    }
  }
}
