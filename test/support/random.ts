/** Random numbers that are the same for the same seed (mulberry32), so that a failure can be repeated. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** In [0, 1). */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.unit() * below)
  }

  /** True in that part of all cases, from 0 to 1. */
  chance(part: number): boolean {
    return this.unit() < part
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }
}
