/**
 * Which companions a name of a command means. Pure.
 *
 *   all          every one
 *   ticker       the one of that name; where there is none, all of `ticker:0`, `ticker:1` …
 *   worker:*     a glob: `*` any characters, `?` one
 */

/** The names that are meant, in the order of `names`; empty: none. */
export function matchNames(wanted: string, names: readonly string[]): string[] {
  if (names.includes(wanted)) return [wanted]
  if (wanted === 'all') return [...names]
  if (/[*?]/.test(wanted)) return names.filter((name) => globMatches(wanted, name))
  return names.filter((name) => name.startsWith(`${wanted}:`) && /^\d+$/.test(name.slice(wanted.length + 1)))
}

/** True where the name means exactly one companion by its own name: its answer is that companion's alone. */
export const isExact = (wanted: string, names: readonly string[]): boolean => names.includes(wanted)

/** Takes time in proportion to both lengths multiplied, whatever the pattern: only the last star is ever gone back to. */
function globMatches(glob: string, name: string): boolean {
  let at = 0
  let star = -1
  let retry = 0
  for (let n = 0; n < name.length; ) {
    if (glob[at] === '*') {
      star = at++
      retry = n
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === name[n])) {
      at++
      n++
    } else if (star >= 0) {
      at = star + 1
      n = ++retry
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}
