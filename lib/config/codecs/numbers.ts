/** Numbers: counts, durations, sizes, permission bits. Pure. */

import { type Ms, ms } from '../../units.ts'
import { bad, type Codec, good } from '../codec.ts'

/** A duration in a config file: a number of seconds, or a number with its unit. */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h`

/** A size in a config file: a number of bytes, or a number with its unit (of 1024). */
export type Size = number | `${number}kb` | `${number}mb` | `${number}gb`

const numeric = (text: string): unknown => (/^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text)

/** A whole number within bounds, both included. */
export function count(from: number, to: number, placeholder = 'N'): Codec<number, number> {
  const allowed = `a whole number from ${from} to ${to}`
  return {
    allowed,
    placeholder,
    type: 'number',
    parse: numeric,
    check: (value) =>
      Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to
        ? good(value as number)
        : bad(value, allowed),
    format: (value) => value,
  }
}

/** The same, or one word. */
export function countOr<const Word extends string>(
  from: number,
  to: number,
  word: Word,
): Codec<number | Word, number | Word> {
  const number = count(from, to, `N|${word}`)
  const allowed = `${number.allowed}, or "${word}"`
  return {
    ...number,
    allowed,
    type: `number | "${word}"`,
    check: (value, context) =>
      value === word ? good(word) : number.check(value, context).ok ? good(value as number) : bad(value, allowed),
    format: (value) => value,
  }
}

const UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const LONGEST = 24 * UNIT.h

/** How long, stored in milliseconds: from `least` (a day at most). */
export function duration(least: 'from nothing' | 'more than nothing' = 'from nothing'): Codec<Ms, Duration> {
  const allowed = `a duration ${least === 'from nothing' ? 'from 0' : 'above 0,'} up to 24h: seconds, or a text such as "250ms", "30s", "5m"`
  return {
    allowed,
    placeholder: 'DURATION',
    type: 'Duration',
    parse: numeric,
    check: (value) => {
      const found = milliseconds(value)
      const fits = found !== null && found <= LONGEST && (least === 'from nothing' ? found >= 0 : found > 0)
      return fits ? good(ms(found)) : bad(value, allowed)
    },
    format: formatDuration,
  }
}

function milliseconds(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * UNIT.s) : null
  if (typeof value !== 'string') return null
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(value.trim())
  return match === null ? null : Math.round(Number(match[1]) * UNIT[match[2] as keyof typeof UNIT])
}

/** The shortest text with a unit that says the same. */
export function formatDuration(value: Ms): Duration {
  if (value === 0) return 0
  for (const unit of ['h', 'm', 's'] as const) if (value % UNIT[unit] === 0) return `${value / UNIT[unit]}${unit}`
  return `${value}ms`
}

const SIZE = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const

/** How many bytes, within bounds. */
export function size(from: number, to: number): Codec<number, Size> {
  const allowed = `a size from ${formatSize(from)} to ${formatSize(to)}: bytes, or a text such as "16kb", "512mb", "1gb"`
  return {
    allowed,
    placeholder: 'SIZE',
    type: 'Size',
    parse: numeric,
    check: (value) => {
      const found = bytes(value)
      return found !== null && found >= from && found <= to ? good(found) : bad(value, allowed)
    },
    format: formatSize,
  }
}

function bytes(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
  if (typeof value !== 'string') return null
  const match = /^(\d+(?:\.\d+)?) ?(?:(b)|([kmg])i?b?)$/i.exec(value.trim())
  if (match === null) return null
  const unit = (match[2] ?? match[3] ?? 'b').toLowerCase() as keyof typeof SIZE
  return Math.round(Number(match[1]) * SIZE[unit])
}

function formatSize(value: number): Size {
  if (value === 0) return 0
  for (const unit of ['g', 'm', 'k'] as const) if (value % SIZE[unit] === 0) return `${value / SIZE[unit]}${unit}b`
  return value
}

/** Permission bits: a number (0o640 in JavaScript), or octal digits as text. */
export function mode(to: 0o777 | 0o7777 = 0o777): Codec<number, number | string> {
  const allowed = `permission bits up to ${to.toString(8)}: a number such as 0o022, or octal digits such as "022"`
  return {
    allowed,
    placeholder: 'OCTAL',
    type: 'number | string',
    parse: (text) => text,
    check: (value) => {
      const octal = typeof value === 'string' && /^(0o)?[0-7]{1,5}$/.test(value)
      const found = octal ? Number.parseInt((value as string).replace(/^0o/, ''), 8) : value
      return Number.isSafeInteger(found) && (found as number) >= 0 && (found as number) <= to
        ? good(found as number)
        : bad(value, allowed)
    },
    format: (value) => `0${value.toString(8).padStart(3, '0')}`,
  }
}
