/**
 * The candidate that was perhaps meant by `given`, or null. Letter case, `-` and `_` are overlooked; else at most a
 * third of the letters may be wrong, swapped neighbours counting once (optimal string alignment distance), or the end may
 * be missing. Pure.
 */
export function nearest(given: string, candidates: readonly string[]): string | null {
  const wanted = plain(given)
  let best: string | null = null
  let least = Math.min(3, Math.floor(wanted.length / 3) + 1)
  for (const candidate of candidates) {
    const far = distance(wanted, plain(candidate))
    if (far < least) {
      best = candidate
      least = far
    }
  }
  return best ?? candidates.find((candidate) => wanted.length >= 4 && plain(candidate).startsWith(wanted)) ?? null
}

const plain = (text: string): string => text.replace(/[-_]/g, '').toLowerCase()

function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Number.POSITIVE_INFINITY
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      next.push(cost)
    }
    ;[before, row] = [row, next]
  }
  return row[b.length]!
}
