/** Users, groups, signals, limits of processes. Pure. */
import { constants } from 'node:os'
import type { ResourceLimit, Signal } from '../../kernel/kernel.ts'
import { andThen, bad, type Codec, good, isRecord, together, within } from '../codec.ts'

/** A user or group: a name, or its number. Whether it exists is asked when it is used. */
export function account(what: 'user' | 'group'): Codec<string | number, string | number> {
  const allowed = `a ${what}'s name or number`
  return {
    allowed,
    placeholder: what.toUpperCase(),
    type: 'string | number',
    parse: (text) => (/^\d{1,10}$/.test(text) ? Number(text) : text),
    check: (value) => {
      const number = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32 - 1
      const name = typeof value === 'string' && /^[^\s:,/-][^\s:,/]*$/.test(value)
      return number || name ? good(value as string | number) : bad(value, allowed)
    },
    format: (value) => value,
  }
}

const SIGNALS = 'a signal by name, such as "SIGTERM" or "TERM"'

/** A signal that ends or steers a process; KILL and STOP included, real-time ones not. */
export const signal: Codec<Signal, string> = {
  allowed: SIGNALS,
  placeholder: 'SIGNAL',
  type: 'string',
  parse: (text) => text,
  check: (value) => {
    if (typeof value !== 'string') return bad(value, SIGNALS)
    const name = /^sig/i.test(value) ? value.toUpperCase() : `SIG${value.toUpperCase()}`
    return Object.hasOwn(constants.signals, name) ? good(name as Signal) : bad(value, SIGNALS)
  },
  format: (value) => value,
}

const RESOURCES = [
  ...['AS', 'CORE', 'CPU', 'DATA', 'FSIZE', 'LOCKS', 'MEMLOCK', 'MSGQUEUE'],
  ...['NICE', 'NOFILE', 'NPROC', 'RSS', 'RTPRIO', 'RTTIME', 'SIGPENDING', 'STACK'],
]
const BOUND = 'a whole number from 0, or "unlimited"'
const LIMITS = `limits by name (${RESOURCES.join(', ')}), such as { NOFILE: 4096 } or { CORE: { soft: 0, hard: "unlimited" } }`

type Bound = number | 'unlimited'
export type LimitsInput = Readonly<Record<string, Bound | { readonly soft: Bound; readonly hard: Bound }>>

/** Resource limits (getrlimit(2)); one number sets soft and hard alike. */
export const limits: Codec<readonly ResourceLimit[], LimitsInput> = {
  allowed: LIMITS,
  placeholder: 'LIMITS',
  type: 'Record<string, number | "unlimited" | { soft, hard }>',
  parse: (text) => text,
  check: (value) => {
    if (!isRecord(value)) return bad(value, LIMITS)
    return together(Object.entries(value).map(([name, given]) => within(name, checkLimit(name, given))))
  },
  format: (value) =>
    Object.fromEntries(
      value.map(({ resource, soft, hard }) => [resource, { soft: soft ?? 'unlimited', hard: hard ?? 'unlimited' }]),
    ),
}

function checkLimit(resource: string, given: unknown) {
  if (!RESOURCES.includes(resource)) return bad(resource, `one of ${RESOURCES.join(', ')}`)
  const { soft, hard } = isRecord(given) ? given : { soft: given, hard: given }
  const bounds = together([within('soft', checkBound(soft)), within('hard', checkBound(hard))])
  return andThen(bounds, ([low = null, high = null]) =>
    high !== null && (low === null || low > high)
      ? bad(given, 'a soft limit that is not above the hard one')
      : good({ resource, soft: low, hard: high }),
  )
}

const checkBound = (value: unknown) =>
  value === 'unlimited'
    ? good(null)
    : Number.isSafeInteger(value) && (value as number) >= 0
      ? good(value as number)
      : bad(value, BOUND)
