/** The manager's log: one line an event. */
import type { Exit, Signal, SignalRecord } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import { LATE } from '../runtime/silence.ts'
import { durationWords, exitWords, nextWords, stateWord, troubleWords } from '../supervision/describe.ts'
import { type Life, pidOf, troubleOf } from '../supervision/life.ts'
import type { Ms } from '../units.ts'

export class Report {
  readonly #log: Log
  readonly #now: () => Ms

  constructor(log: Log, now: () => Ms) {
    this.#log = log
    this.#now = now
  }

  /** A spawn that was asked for is told when there is a process, or none. */
  moved(companion: string, to: Life): void {
    const state = stateWord(to)
    if (to.phase.kind === 'spawning') return
    const fields = { companion, pid: pidOf(to) ?? undefined }
    if (state !== 'FATAL' && state !== 'BACKOFF') {
      this.#log.info(`companion is ${state}`, fields)
      return
    }
    const trouble = troubleOf(to)
    const why = trouble === null ? undefined : troubleWords(trouble)
    const level = state === 'FATAL' ? 'error' : 'warning'
    this.#log[level](`companion is ${state}`, { ...fields, why, next: nextWords(to, this.#now()) })
  }

  left(companion: string, { pid, code, signal, core, usage }: Exit): void {
    this.#log.info('companion left', {
      companion,
      pid,
      code: code ?? undefined,
      signal: signal ?? undefined,
      core: core || undefined,
      userMs: usage.userMs,
      systemMs: usage.systemMs,
      maxRssKib: usage.maxRssKib,
    })
  }

  signalled({ signal, pid, uid, fromKernel }: SignalRecord): void {
    this.#log.info('signal received', { signal, from: fromKernel ? 'kernel' : pid, uid: fromKernel ? undefined : uid })
  }

  commanded(cmd: string, companion: string, result: string): void {
    this.#log.info(`command ${cmd}`, { companion, result })
  }

  reread(answer: { readonly [key: string]: unknown }): void {
    if (answer.ok !== true) this.#log.error('configuration not taken', { error: String(answer.error) })
    else {
      const { added, removed, restarted, unchanged } = answer as Record<string, readonly string[]>
      this.#log.info('configuration taken', { added, removed, restarted, unchanged: unchanged?.length })
    }
  }

  moldStarted(pid: number): void {
    this.#log.info('mold started', { pid })
  }

  moldQuiet(pid: number): void {
    this.#log.info('mold is quiet: companions are forked from it', { pid })
  }

  moldSaid(pid: number, level: 'info' | 'warning', text: string): void {
    this.#log[level](text, { mold: pid })
  }

  moldLeft(pid: number, exit: Exit): void {
    this.#log.warning(`mold ${exitWords(exit)}`, { pid })
  }

  moldSilent(pid: number, how: 'late' | 'hangs'): void {
    if (how === 'late') this.#log.warning(`mold has not answered for ${LATE / 1000} s, and is waited for`, { pid })
    else
      this.#log.error('mold does not answer: it is ended, and another one is started for the next companion', { pid })
  }

  moldFailed(pid: number, text: string): void {
    this.#log.error(`companions cannot be forked: ${text}`, { mold: pid })
  }

  execs(companion: string, why: string): void {
    this.#log.info('companion is started by itself, not forked', { companion, why })
  }

  adopted({ pid, code, signal }: Exit): void {
    this.#log.debug('an orphan ended', { pid, code: code ?? undefined, signal: signal ?? undefined })
  }

  garbled(companion: string, why: string): void {
    this.#log.warning('a companion said something that is no message', { companion, why })
  }

  reopened(problems: readonly string[]): void {
    this.notReopened(problems)
    this.#log.info('log files reopened')
  }

  notReopened(problems: readonly string[]): void {
    for (const error of problems) this.#log.error('log file not reopened', { error })
  }

  logTrouble(file: string, error: string | null, lost: number): void {
    if (error === null) this.#log.warning('log file can be written again', { file, lostBytes: lost })
    else this.#log.error('log file cannot be written', { file, error })
  }

  stopping(how: string, why: string): void {
    this.#log.info('manager is stopping', { how, why })
  }

  stopped(): void {
    this.#log.info('manager has stopped')
  }

  serving(path: string | null, companions: number): void {
    this.#log.info('manager is up', { companions, control: path ?? undefined })
  }

  noControl(error: string): void {
    this.#log.warning('no control socket', { error })
  }

  late(gap: Ms): void {
    this.#log.warning('the manager did not run for a while', { within: durationWords(gap) })
  }

  reinstalled(signals: readonly Signal[]): void {
    this.#log.warning('signal handlers were replaced and are back', { signals })
  }

  defect(error: unknown): void {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
    this.#log.error('defect in monoceros', { error: message }, stack)
  }
}
