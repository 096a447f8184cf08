/** The arbiter's log about molds. */
import type { FromMold } from '../../channel/mold-messages.ts'
import type { Exit } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import type { MoldProcess } from '../../runtime/mold-process.ts'
import { LATE } from '../../runtime/silence.ts'
import { exitWords } from '../../supervision/describe.ts'
import { nameOf, type Worker } from '../workers.ts'

export class MoldReport {
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  started({ pid }: MoldProcess): void {
    this.#log.info('mold started', { pid })
  }

  quiet({ pid }: MoldProcess): void {
    this.#log.info('mold is quiet: workers are forked from it', { pid })
  }

  said({ pid }: MoldProcess, { level, text }: Extract<FromMold, { kind: 'log' }>): void {
    this.#log[level](text, { mold: pid })
  }

  left(mold: MoldProcess, exit: Exit): void {
    if (mold.failed === null) this.#log.warning(`mold ${exitWords(exit)}`, { pid: mold.pid })
  }

  silent({ pid }: MoldProcess, how: 'late' | 'hangs'): void {
    if (how === 'late') this.#log.warning(`mold has not answered for ${LATE / 1000} s, and is waited for`, { pid })
    else this.#log.error('mold does not answer: it is ended, and another one is started for the next worker', { pid })
  }

  notAhead({ pid }: MoldProcess, why: string): void {
    this.#log.warning(`no process could be forked ahead: ${why}`, { pid })
  }

  spareLeft(exit: Exit): void {
    this.#log.info(`process that was forked ahead ${exitWords(exit)}`, { pid: exit.pid })
  }

  chosen(worker: Worker, requests: number): void {
    this.#log.info(`worker has served ${requests} requests: it is to become a mold (reforkAfter)`, nameOf(worker))
  }

  onTrial(worker: Worker): void {
    this.#log.info('worker has become a mold, on trial', nameOf(worker))
  }

  promoted({ pid }: MoldProcess): void {
    this.#log.info('mold has proved itself: workers are forked from it', { pid })
  }

  notPromoted({ pid }: Pick<MoldProcess, 'pid'>, why: string): void {
    this.#log.warning(`worker cannot be a mold, the one before it stays: ${why}`, { pid })
  }

  falls(mold: MoldProcess): void {
    this.#log.error(`preload is given up, workers are started one by one (preloadFallback): ${mold.failed?.text}`)
  }
}
