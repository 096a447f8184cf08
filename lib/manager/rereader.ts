/**
 * `reread`: the arbiter loads the configuration (no code of a configuration runs in the manager) and answers with it
 * or with what is wrong with it; a later turn takes it. One at a time.
 */
import type { ManagerConfig } from '../channel/manager-messages.ts'
import type { Answer } from '../control/protocol.ts'
import { ms } from '../units.ts'
import type { Manager } from './manager.ts'
import type { Waiting } from './waiting.ts'

/** How long the arbiter may take, in milliseconds: the evaluation of a config file has 10 seconds. */
const PATIENCE = 30_000

export class Rereader {
  readonly #ask: (id: number) => boolean
  #id = 0
  /** What the arbiter has said to the question of that number. */
  #said: { readonly id: number; readonly what: ManagerConfig | string } | null = null
  #open = false

  constructor(ask: (id: number) => boolean) {
    this.#ask = ask
  }

  /** The answer of the command. Whether or not the asker is still there, a configuration that comes is taken. */
  async ask(manager: Manager, waiting: Waiting): Promise<Answer> {
    if (this.#open) return refused('a reread is under way: wait for it')
    const id = ++this.#id
    this.#said = null
    if (!this.#ask(id)) return refused('the arbiter does not hear')
    this.#open = true
    const answer = waiting.wait(
      () => {
        if (this.#said?.id !== id) return null
        const { what } = this.#said
        return typeof what === 'string' ? refused(what) : manager.reread(what)
      },
      ms(manager.now + PATIENCE),
      () => refused(`the arbiter has not answered for ${PATIENCE / 1000} s`),
    )
    return answer.finally(() => {
      this.#open = false
    })
  }

  answered(id: number, what: ManagerConfig | string): void {
    this.#said = { id, what }
  }
}

const refused = (error: string): Answer => ({ ok: false, error, kept_old_config: true })
