/**
 * What the addon says in numbers: rows of typed arrays, since each property that is set from C++ takes as long as a
 * system call. `native/signals.cc` and `native/reap.cc` know the same columns.
 */
import { type Pid, pid } from '../units.ts'
import type { Exit, SignalRecord } from './kernel.ts'
import { signalName } from './signals.ts'

export type Rows = {
  /** Fills records of four numbers; more may be left when less than `SIGNALS` of them are free. */
  readSignals(records: Int32Array): number
  /** Fills a row of `EXIT_COLUMNS` for each of the first `count` pids that has exited. */
  reap(pids: Int32Array, count: number, rows: Float64Array): number
  /** Moves those of the first `count` pids that have exited to the front. */
  exited(pids: Int32Array, count: number): number
  /** 1: filled the row; 0: there is none; -1: one that is not to be taken hides the rest. */
  reapStranger(except: readonly Pid[], row: Float64Array): number
  /** Fills rows with what was reaped on sight; more may be left when all are filled. */
  takeExits(rows: Float64Array): number
}

const SIGNALS = 65
const RECORD_COLUMNS = 4
const MOST_RECORDS = 512
const EXIT_COLUMNS = 5
const MOST_CHILDREN = 256

const SIGCHLD = 17
/** SI_USER, SI_QUEUE, SI_TKILL (sigaction(2)): only for these do si_pid and si_uid name a sender. */
const SENT: ReadonlySet<number> = new Set([0, -1, -6])

/** The five functions over rows, as the Kernel has them. */
export function overRows(addon: Rows) {
  const records = new Int32Array(MOST_RECORDS * RECORD_COLUMNS)
  const pids = new Int32Array(MOST_CHILDREN)
  const rows = new Float64Array(MOST_CHILDREN * EXIT_COLUMNS)

  const readSignals = (): SignalRecord[] => {
    const result: SignalRecord[] = []
    for (;;) {
      const count = addon.readSignals(records)
      for (let row = 0; row < count; row++) result.push(recordAt(records, row * RECORD_COLUMNS))
      if (count + SIGNALS <= MOST_RECORDS) return result
    }
  }

  /** Puts the next children where the addon reads them; returns how many. */
  const present = (children: readonly Pid[], from: number): number => {
    const count = Math.min(children.length - from, MOST_CHILDREN)
    for (let i = 0; i < count; i++) pids[i] = children[from + i]!
    return count
  }

  const reap = (children: readonly Pid[]): Exit[] => {
    const result: Exit[] = []
    for (let from = 0; from < children.length; from += MOST_CHILDREN) {
      result.push(...exitsOf(rows, addon.reap(pids, present(children, from), rows)))
    }
    return result
  }

  const exited = (children: readonly Pid[]): Pid[] => {
    const result: Pid[] = []
    for (let from = 0; from < children.length; from += MOST_CHILDREN) {
      const found = addon.exited(pids, present(children, from))
      for (let i = 0; i < found; i++) result.push(pid(pids[i]!))
    }
    return result
  }

  const reapStrangers = (except: readonly Pid[]): { readonly exits: Exit[]; readonly blocked: boolean } => {
    const exits: Exit[] = []
    for (;;) {
      const found = addon.reapStranger(except, rows)
      if (found <= 0) return { exits, blocked: found < 0 }
      exits.push(exitAt(rows, 0))
    }
  }

  const takeExits = (): Exit[] => {
    const result: Exit[] = []
    for (let filled = MOST_CHILDREN; filled === MOST_CHILDREN; ) {
      filled = addon.takeExits(rows)
      result.push(...exitsOf(rows, filled))
    }
    return result
  }

  return { readSignals, reap, exited, reapStrangers, takeExits }
}

/** The first so many rows. */
function exitsOf(rows: Float64Array, count: number): Exit[] {
  const result: Exit[] = []
  for (let row = 0; row < count; row++) result.push(exitAt(rows, row * EXIT_COLUMNS))
  return result
}

/** SIGCHLD names the child. */
function recordAt(from: Int32Array, at: number): SignalRecord {
  const number = from[at]!
  const sent = SENT.has(from[at + 3]!)
  const names = sent || number === SIGCHLD
  return {
    signal: signalName(number),
    pid: names ? from[at + 1]! : 0,
    uid: names ? from[at + 2]! >>> 0 : 0,
    fromKernel: !sent,
  }
}

/** A status is coded as wait(2)'s macros have it: the low seven bits are the signal, the eighth says core. */
function exitAt(from: Float64Array, at: number): Exit {
  const status = from[at + 1]!
  const signal = status & 0x7f
  return {
    pid: pid(from[at]!),
    code: signal === 0 ? (status >> 8) & 0xff : null,
    signal: signal === 0 ? null : signalName(signal),
    core: (status & 0x80) !== 0,
    usage: { userMs: from[at + 2]!, systemMs: from[at + 3]!, maxRssKib: from[at + 4]! },
  }
}
