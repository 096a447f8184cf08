/** The arbiter's log about hooks: whatever goes wrong with one is named, and stops nothing. */
import { formatDuration } from '../../config/codecs/numbers.ts'
import type { HookName } from '../../config/settings/hooks.ts'
import type { Exit } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import { exitWords, nextWords, troubleWords } from '../../supervision/describe.ts'
import type { Life } from '../../supervision/life.ts'
import type { Ms } from '../../units.ts'

export class HookReport {
  readonly #log: Log
  readonly #now: () => Ms
  #dropping = false

  constructor(log: Log, now: () => Ms) {
    this.#log = log
    this.#now = now
  }

  moved({ phase, trouble, ...life }: Life): void {
    if (phase.kind === 'proving' || phase.kind === 'up') this.#log.debug('hooks are loaded', { pid: phase.child.pid })
    else if (trouble !== null && (phase.kind === 'waiting' || phase.kind === 'failed' || phase.kind === 'leaving'))
      this.#log.error('the process that runs the hooks failed', {
        why: troubleWords(trouble),
        next: nextWords({ ...life, phase, trouble }, this.#now()),
      })
  }

  unusable(file: string, text: string, stack: string | undefined): void {
    this.#log.error(`hooks cannot be loaded from ${file}: ${text}`, {}, stack)
  }

  threw(hook: HookName, text: string, stack: string | undefined): void {
    this.#log.error(`hook ${hook} threw: ${text}`, {}, stack)
  }

  late(hook: HookName, within: Ms): void {
    this.#log.error(`hook ${hook} takes longer than ${formatDuration(within)}; nobody waits for it any more`)
  }

  stuck(hook: HookName): void {
    this.#log.error(`hook ${hook} blocks its process, which is killed and started again`)
  }

  cutOff(hook: HookName, exit: Exit): void {
    this.#log.error(`hook ${hook} did not come to its end: its process ${exitWords(exit)}`)
  }

  notCalled(hook: HookName): void {
    this.#log.warning(`hook ${hook} was not called: the time for it is over`)
  }

  dropped(hook: HookName, waiting: number): void {
    if (!this.#dropping)
      this.#log.warning(`hook ${hook} is not called, nor those after it, while ${waiting} calls wait`)
    this.#dropping = true
  }

  caughtUp(): void {
    this.#dropping = false
  }

  garbled(why: string): void {
    this.#log.warning('the process that runs the hooks sent what is no message', { why })
  }
}
