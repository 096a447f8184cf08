/**
 * A pool that reads its events from a transcript and writes its effects as one. Pids count from 101; `@` names a worker
 * by generation and slot, as in `exited 1:0 code 1`.
 */
import { exitWords, troubleWords } from '../../../lib/supervision/describe.ts'
import { pidOf } from '../../../lib/supervision/life.ts'
import {
  deadline,
  type Effect,
  type Event,
  type Key,
  keyText,
  newPool,
  type Pool,
  type PoolPolicy,
  step,
} from '../../../lib/supervision/pool.ts'
import { ms, pid } from '../../../lib/units.ts'
import { POLICY } from './policy.ts'
import { type Actor, exitOf } from './transcript.ts'

export class PoolActor implements Actor {
  #pool: Pool = newPool(2, 1)
  #policy: PoolPolicy = {
    life: POLICY,
    reloadStep: null,
    retireAtOnce: 1,
    spawnsAtOnce: 16,
    most: 64,
    largest: 16,
    bootAttempts: 3,
  }
  #now = 0
  #nextPid = 101

  /** `size 3`, `reloadStep 1`, or a time of the life's policy: `startsecs 0`. */
  set([name, value]: readonly string[]): void {
    const number = value === 'null' ? null : Number(value)
    if (name === 'size') this.#pool = newPool(number!, 1)
    else if (name! in this.#policy) this.#policy = { ...this.#policy, [name!]: number }
    else
      this.#policy = {
        ...this.#policy,
        life: { ...this.#policy.life, [name!]: name === 'probe' ? value === 'true' : number },
      }
  }

  tell([word, ...words]: readonly string[]): readonly string[] {
    switch (word) {
      case 'start':
      case 'reload':
      case 'drain':
        return this.#step({ kind: word })
      case 'scale':
        return this.#step({ kind: 'scale', to: Number(words[0]) })
      case 'by':
        return this.#step({ kind: 'scaleBy', by: Number(words[0]) })
      case 'stop':
        return this.#step({ kind: 'stop', how: words[0] as 'graceful' | 'quick' })
      case 'retire':
        return words.flatMap((name) => this.#step({ kind: 'retire', key: keyOf(name) }))
      case 'spawned':
        return words.flatMap((name) => this.#step({ kind: 'spawned', key: keyOf(name), pid: pid(this.#nextPid++) }))
      case 'announced':
      case 'ready':
      case 'passed':
      case 'lasted':
      case 'heard':
        return words.flatMap((name) => this.#step({ kind: word, key: keyOf(name), pid: this.#pidOf(name) }))
      case 'boot':
        return ['spawned', 'announced', 'ready'].flatMap((kind) => this.tell([kind, ...words]))
      case 'spawnFailed':
        return this.#step({ kind: word, key: keyOf(words[0]!), error: words.slice(1).join(' ') })
      case 'exited': {
        const [name, ...how] = words
        const at = how.indexOf('saying')
        const fault = at < 0 ? undefined : { fault: 'threw', text: how.slice(at + 1).join(' ') }
        return this.#step({ kind: word, key: keyOf(name!), pid: this.#pidOf(name!), exit: exitOf(how), fault })
      }
      case 'gap':
        this.#now += Number(words[0])
        return this.#step({ kind: 'gap', ms: ms(Number(words[0])) })
      case 'wait':
        this.#now = words[0] === undefined ? deadline(this.#pool, this.#policy)! : this.#now + Number(words[0])
        return this.#step({ kind: 'tick' })
      case 'members':
        return this.#pool.members.map(
          ({ key, role, life }) => `${keyText(key)} ${role} ${life.phase.kind} ${pidOf(life) ?? '-'}`,
        )
      default:
        throw new Error(`a pool does not know "${word}"`)
    }
  }

  #pidOf(name: string) {
    const member = this.#pool.members.find(({ key }) => keyText(key) === name)
    const found = member === undefined ? null : pidOf(member.life)
    if (found === null) throw new Error(`${name} has no process`)
    return found
  }

  #step(event: Event): string[] {
    const given = step(this.#pool, event, ms(this.#now), this.#policy)
    this.#pool = given.pool
    return given.effects.map((effect) => this.#words(effect))
  }

  #words(effect: Effect): string {
    switch (effect.kind) {
      case 'spawn':
      case 'abandon':
        return `${effect.kind} ${keyText(effect.key)}`
      case 'signal':
        return `${effect.how} ${keyText(effect.key)} pid ${effect.pid}`
      case 'moved': {
        const { key, from, to } = effect
        const left = from.last === to.last ? '' : ` (${exitWords(to.last!.exit)})`
        const until = to.phase.kind === 'waiting' ? ` for ${to.phase.until - this.#now} ms` : ''
        return `moved ${keyText(key)} ${from.phase.kind} to ${to.phase.kind}${until}${left}`
      }
      case 'reloadFailed': {
        const { trouble, generation } = effect
        if (trouble.kind === 'superseded') return `reloadFailed ${generation}: superseded by ${trouble.by}`
        return `reloadFailed ${generation}: ${trouble.kind === 'stopped' ? 'stopped' : troubleWords(trouble)}`
      }
      case 'halted':
        return `halted: ${effect.cause}, ${troubleWords(effect.trouble)}`
      case 'started':
      case 'reloading':
      case 'reloaded':
        return `${effect.kind} ${effect.generation}`
      case 'drained':
      case 'emptied':
        return effect.kind
    }
  }
}

const keyOf = (name: string): Key => {
  const [generation, slot, relief = 0] = name.split(':').map(Number)
  return { generation: generation!, slot: slot!, relief }
}
