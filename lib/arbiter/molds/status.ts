import type { MoldProcess } from '../../runtime/mold-process.ts'
import type { Spare } from './spares.ts'

/** A mold for `status`. `mold`: counted from 1 in its generation. */
export type MoldStatus = {
  readonly pid: number
  readonly mold: number
  readonly state: 'LOADING' | 'QUIET' | 'ON TRIAL'
  /** The process that was forked ahead and waits to be a worker; null: none. */
  readonly spare: number | null
}

export const moldStatus = (
  { pid, isQuiet }: MoldProcess,
  number: number | undefined,
  isOnTrial: boolean,
  spare: Spare | null,
): MoldStatus => ({
  pid,
  mold: number ?? 1,
  state: isOnTrial ? 'ON TRIAL' : isQuiet ? 'QUIET' : 'LOADING',
  spare: spare?.pid ?? null,
})
