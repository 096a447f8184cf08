/** One arbiter from its first turn of the loop to its end, whether it was started or follows another image of itself. */
import { EXIT_CODE } from '../exit-codes.ts'
import { Loop } from '../runtime/loop.ts'
import { outliveTerminal } from '../system/terminal.ts'
import { type Assembled, assemble, type Ingredients } from './assemble.ts'
import { ARBITER_SIGNALS } from './orders.ts'
import { Report } from './report.ts'

type Given = Omit<Ingredients, 'report' | 'wake' | 'defect'>

export class Service {
  readonly #given: Given
  readonly #report: Report
  /** A defect of ours must not take the service down; but before it stands, it is the reason to go back. */
  #stands: boolean

  constructor(given: Given) {
    this.#given = given
    this.#report = new Report(given.log, () => given.kernel.now())
    this.#stands = given.state === null
  }

  /** From now on nothing but an order ends it. */
  stand(): void {
    this.#stands = true
  }

  /** `begin` runs when signals are heard. Resolves with the exit code; rejects where `begin` throws. */
  async run(begin: (parts: Assembled, report: Report) => void): Promise<number> {
    const { kernel, log, listeners, loaded } = this.#given
    const defect = (error: unknown): void => this.#defect(error)
    let wake = (): void => undefined
    const parts = assemble({ ...this.#given, report: this.#report, wake: () => wake(), defect })
    process.on('uncaughtException', defect)
    process.on('unhandledRejection', defect)
    outliveTerminal(kernel)
    kernel.becomeSubreaper()
    const { procName } = loaded.config
    kernel.setProcessName(`monoceros: arbiter${procName === null ? '' : ` [${procName}]`}`)
    const loop = new Loop(kernel, ARBITER_SIGNALS, parts.arbiter)
    wake = () => loop.wake()
    try {
      begin(parts, this.#report)
      const code = await parts.over
      log.info('monoceros has stopped', { code })
      return code
    } finally {
      loop.close()
      if (parts.hasSuccessor()) listeners.disown()
      listeners.unlink()
      parts.premises.close()
      log.flushNow()
    }
  }

  #defect(error: unknown): void {
    this.#report.defect(error)
    if (this.#stands) return
    this.#given.log.flushNow()
    process.exit(EXIT_CODE.broken)
  }
}
