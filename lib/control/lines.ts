/**
 * Bytes of a control connection, cut into lines. Pure: it is given chunks of any size and remembers what is not yet a
 * whole line, never more than `LINE_LIMIT` bytes of it. What is longer is dropped up to its newline and told once.
 */

/** The longest line in bytes, without its newline. */
export const LINE_LIMIT = 65_536

const NEWLINE = 0x0a

export type Line =
  | { readonly kind: 'line'; readonly bytes: Buffer }
  /** A line longer than the limit; its bytes are gone. */
  | { readonly kind: 'tooLong' }

export type LineReader = {
  /** Takes a chunk and returns the lines that it completes. */
  push(chunk: Buffer): Line[]
  /** At the end of the stream: what stands behind the last newline, if anything does. */
  end(): Line[]
  /** Bytes kept. */
  readonly held: number
}

export function lineReader(limit = LINE_LIMIT): LineReader {
  let parts: Buffer[] = []
  let held = 0
  let dropping = false

  const take = (piece: Buffer): void => {
    if (dropping || piece.length === 0) return
    if (held + piece.length > limit) {
      dropping = true
      parts = []
      held = 0
      return
    }
    // A copy: a slice would keep the whole chunk that it was cut from in memory.
    parts.push(Buffer.from(piece))
    held += piece.length
  }
  const finish = (): Line => {
    const line: Line = dropping ? { kind: 'tooLong' } : { kind: 'line', bytes: Buffer.concat(parts, held) }
    parts = []
    held = 0
    dropping = false
    return line
  }

  return {
    push(chunk) {
      const lines: Line[] = []
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        take(chunk.subarray(from, at))
        lines.push(finish())
        from = at + 1
      }
      take(chunk.subarray(from))
      return lines
    },
    end: () => (held > 0 || dropping ? [finish()] : []),
    get held() {
      return held
    },
  }
}
