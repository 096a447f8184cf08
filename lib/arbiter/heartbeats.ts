/**
 * The arbiter's side of the heartbeat memory: which worker has which row, and whose beat has moved.
 *
 * A row goes back to the free list only after its worker was reaped: a worker that is still alive could write into it.
 */
import { BYTES, CELLS, COLUMN, COLUMNS, lifeOf, row } from '../channel/heartbeat.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { retire } from '../metrics/totals.ts'
import { type Fd, fd, type Pid } from '../units.ts'

/** A worker's row. Nothing in it is to be believed but that a changed `beat` is a sign of life. */
export type Cell = { readonly index: number; readonly values: Float64Array; lastBeat: number }

/** The memory, and which of its rows nobody has, for another image of this process. */
export type PackedHeartbeats = {
  readonly memory: number
  readonly free: readonly number[]
  readonly retired: readonly number[]
}

export class Heartbeats {
  readonly memory: Fd
  readonly #kernel: Kernel
  readonly #map: ArrayBuffer
  readonly #free: number[] = []
  /** What workers that are gone have counted. */
  readonly retired = new Float64Array(COLUMNS)

  constructor(kernel: Kernel, packed: PackedHeartbeats | null = null) {
    this.#kernel = kernel
    this.memory = packed === null ? kernel.sharedMemory('monoceros-heartbeat', BYTES) : fd(packed.memory)
    this.#map = kernel.map(this.memory)
    if (packed === null) for (let index = CELLS - 1; index >= 0; index--) this.#free.push(index)
    else {
      this.#free.push(...packed.free)
      this.retired.set(packed.retired)
    }
  }

  /** `used`: the rows of those that stay. Whoever else has one is ended. */
  pack(used: readonly number[]): PackedHeartbeats {
    const taken = new Set(used)
    const free = Array.from({ length: CELLS }, (_, index) => index).filter((index) => !taken.has(index))
    return { memory: this.memory, free, retired: [...this.retired] }
  }

  /** The row that a worker has already. */
  cell(index: number, lastBeat: number): Cell {
    return { index, values: row(this.#map, index), lastBeat }
  }

  /** A zeroed row. Throws when every one is taken: more workers alive than the settings allow. */
  take(): Cell {
    const index = this.#free.pop()
    if (index === undefined) throw new Error(`more than ${CELLS} workers are alive at once`)
    const values = row(this.#map, index)
    values.fill(0)
    return { index, values, lastBeat: 0 }
  }

  /** Its worker has said that it is there: from now on its death is told (`Kernel.takeDying`). */
  watch(cell: Cell, worker: Pid): void {
    this.#kernel.watchLife(this.#map, lifeOf(cell.index), worker)
  }

  /** What it has counted is kept for the metrics. */
  giveBack(cell: Cell): void {
    retire(this.retired, cell.values)
    this.#free.push(cell.index)
  }
}

/** Whether the worker has beaten since the last look. */
export function hasBeaten(cell: Cell): boolean {
  const beat = cell.values[COLUMN.beat] ?? 0
  if (beat === cell.lastBeat) return false
  cell.lastBeat = beat
  return true
}
