/**
 * The bytes of a head or trailer section that did not come whole, put together in a window of their own that grows by
 * doubling: each byte is copied a bounded number of times however small the pieces are.
 */
import { Window } from './window.ts'

const EMPTY = new Window(0)

export class Pending {
  window: Window = EMPTY
  length = 0

  append(chunk: Buffer, from: number, to: number): void {
    const length = this.length + to - from
    if (length > this.window.bytes.length) {
      const larger = new Window(2 ** Math.ceil(Math.log2(Math.max(1024, length))))
      this.window.bytes.copy(larger.bytes, 0, 0, this.length)
      this.window = larger
    }
    chunk.copy(this.window.bytes, this.length, from, to)
    this.length = length
  }
}
