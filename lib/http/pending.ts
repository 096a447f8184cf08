/**
 * The bytes of a head or trailer section that did not come whole, put together in one growing buffer: each byte is
 * copied a bounded number of times however small the pieces are.
 */
export class Pending {
  buffer: Buffer = Buffer.allocUnsafe(0)
  length = 0

  append(chunk: Buffer, from: number, to: number): void {
    const length = this.length + to - from
    if (length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(1024, 2 * length))
      this.buffer.copy(larger, 0, 0, this.length)
      this.buffer = larger
    }
    chunk.copy(this.buffer, this.length, from, to)
    this.length = length
  }

  clear(): void {
    this.buffer = Buffer.allocUnsafe(0)
    this.length = 0
  }
}
