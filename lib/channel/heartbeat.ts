/**
 * The shared memory between arbiter and workers: one row of 64-bit floats for each worker. A worker only stores; the
 * arbiter only reads, and believes nothing of it but that a changed `beat` is a sign of life. Behind the rows each has a
 * place for what tells of its death (`Kernel.markLife`).
 */
export const CELLS = 1024
export const COLUMNS = 24

/** Columns of a row. Counters only grow while the worker lives; gauges are as of the last beat. */
export const COLUMN = {
  /** Counts up with every turn of the worker's own timer. */
  beat: 0,
  requests: 1,
  inFlight: 2,
  connections: 3,
  /** Event loop delay in milliseconds, the largest of the last beat. */
  lag: 4,
  informational: 5,
  success: 6,
  redirection: 7,
  clientError: 8,
  serverError: 9,
  /** Milliseconds of all responses together; 0 while nobody wants metrics, as are the durations below. */
  durationSum: 10,
} as const

/** From here on: how many responses took at most so long, and longer than the bound before; the last has no bound. */
export const FIRST_DURATION = 11

/** Upper bounds in milliseconds: Prometheus' own default. */
export const DURATION_BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, Infinity] as const

const ROW = COLUMNS * Float64Array.BYTES_PER_ELEMENT
/** `Kernel.markLife` takes so many bytes. */
const LIFE = 64

export const BYTES = CELLS * (ROW + LIFE)

/** One worker's row of the mapped memory. */
export const row = (memory: ArrayBuffer, cell: number): Float64Array => new Float64Array(memory, cell * ROW, COLUMNS)

/** Where in the memory a worker marks its life. */
export const lifeOf = (cell: number): number => CELLS * ROW + cell * LIFE
