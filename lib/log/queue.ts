/** Lines that wait to be written, up to a limit; what was lost is counted. Knows nothing of descriptors. */

type Entry = { data: Buffer; readonly lines: number; readonly note: boolean }

const NEWLINE = 10
/** So many written entries are kept before they are cut off: one by one would move the rest each time. */
const FORGET_AT = 1_000

export class LineQueue {
  readonly #limit: number
  #entries: Entry[] = []
  /** Index of the first entry that is not written yet. */
  #head = 0
  #bytes = 0
  /** The beginning of the first entry is written. */
  #torn = false
  /** A newline, after a torn line whose rest was lost: the next one must not be glued to its beginning. */
  #prefix = ''
  #lost = 0
  #reported = 0

  /** `limit` in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Lines lost so far. */
  get lost(): number {
    return this.#lost
  }

  /** Puts whole lines at the end; loses them where there is no room. */
  push(text: string, lines: number): void {
    if (this.#bytes + Buffer.byteLength(text) > this.#limit) this.#lost += lines
    else this.#add(text, lines, false)
  }

  /** What is to be written next; null when all is. */
  first(): Buffer | null {
    return this.#entries[this.#head]?.data ?? null
  }

  /** So many bytes of the first entry were written. */
  took(bytes: number): void {
    const entry = this.#entries[this.#head]!
    this.#bytes -= bytes
    this.#torn = bytes < entry.data.length && (this.#torn || bytes > 0)
    if (bytes < entry.data.length) {
      entry.data = entry.data.subarray(bytes)
      return
    }
    if (entry.note) this.#reported += entry.lines
    this.#head += 1
    if (this.#head === this.#entries.length) this.#clear()
    else if (this.#head >= FORGET_AT) this.#forgetWritten()
  }

  /** Once the queue is empty: queues a line about what was lost since the last one. False when there is nothing to say. */
  pushNote(text: (lines: number) => string): boolean {
    const lines = this.#lost - this.#reported
    if (lines === 0) return false
    const note = text(lines)
    if (note === '') this.#reported = this.#lost
    else this.#add(note, lines, true)
    return note !== ''
  }

  /** Nothing of what waits can be written. */
  lose(): void {
    for (const { lines, note } of this.#entries.slice(this.#head)) if (!note) this.#lost += lines
    if (this.#torn || this.first()?.[0] === NEWLINE) this.#prefix = '\n'
    this.#clear()
  }

  #add(text: string, lines: number, note: boolean): void {
    const data = Buffer.from(this.#prefix + text)
    this.#prefix = ''
    this.#entries.push({ data, lines, note })
    this.#bytes += data.length
  }

  /** A queue that is never empty must not grow. */
  #forgetWritten(): void {
    this.#entries.splice(0, this.#head)
    this.#head = 0
  }

  #clear(): void {
    this.#entries = []
    this.#head = 0
    this.#bytes = 0
    this.#torn = false
  }
}
