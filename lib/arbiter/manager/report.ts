/** The arbiter's log about the companion manager. */
import type { Exit } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import { exitWords, nextWords, troubleWords } from '../../supervision/describe.ts'
import type { Life } from '../../supervision/life.ts'
import type { Ms, Pid } from '../../units.ts'

export class ManagerReport {
  readonly #log: Log
  readonly #now: () => Ms

  constructor(log: Log, now: () => Ms) {
    this.#log = log
    this.#now = now
  }

  moved(life: Life): void {
    const { phase, trouble } = life
    if (phase.kind === 'starting') this.#log.info('companion manager started', { pid: phase.child.pid })
    else if (phase.kind === 'proving') this.#log.info('companion manager ready', { pid: phase.child.pid })
    else if (phase.kind === 'leaving' && phase.trouble === null)
      this.#log.info('companion manager asked to leave', { pid: phase.child.pid })
    else if (trouble !== null && (phase.kind === 'waiting' || phase.kind === 'failed' || phase.kind === 'leaving'))
      this.#log.error('companion manager failed', { why: troubleWords(trouble), next: nextWords(life, this.#now()) })
  }

  left(exit: Exit): void {
    this.#log[exit.code === 0 ? 'info' : 'warning'](`companion manager ${exitWords(exit)}`, { pid: exit.pid })
  }

  swept(pids: readonly Pid[]): void {
    this.#log.warning('killed what the companion manager left behind', { pids })
  }

  fatal(name: string, text: string): void {
    this.#log.critical(`companion ${name} is FATAL and its onFatal is exit: ${text}`)
  }

  garbled(why: string): void {
    this.#log.warning('the companion manager sent what is no message', { why })
  }
}
