/** Values of PM2's keys as settings have them; null where they are not understood. Pure. */

/** Milliseconds as a number or digits, or a text with a unit as PM2 takes it (`1h`, `5m`, `10s`). */
export function duration(value: unknown): string | null {
  const match = /^(\d+(?:\.\d+)?)\s*(h|m|s)?$/.exec(String(value).trim())
  if (match === null) return null
  return match[2] === undefined ? `${Math.round(Number(match[1]))}ms` : `${match[1]}${match[2]}`
}

/** Bytes, or a text with a unit (`300M`, `1G`). */
export function size(value: unknown): string | number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([GMK])B?)?$/i.exec(String(value).trim())
  if (match === null) return null
  return match[2] === undefined ? Math.round(Number(match[1])) : `${match[1]}${match[2].toLowerCase()}b`
}

export const whole = (value: unknown): number | null => {
  const found = Number(value)
  return Number.isSafeInteger(found) && found >= 0 ? found : null
}

export const text = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null

/** A list, or words as a shell would split them: quotes hold words together. */
export function words(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value !== 'string') return null
  const found = value.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? []
  return found.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single))
}

/** Names and texts; what is neither text nor number becomes JSON, as PM2 makes of it. */
export function texts(value: unknown): Readonly<Record<string, string>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const pairs = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  return Object.fromEntries(
    pairs.map(([name, one]) => [name, typeof one === 'object' ? JSON.stringify(one) : `${one}`]),
  )
}

/** `of` with all but these characters replaced, cut to 64. */
export const named = (of: string, others: RegExp): string =>
  of
    .replace(others, '-')
    .replace(/^[^A-Za-z0-9_]+/, '')
    .slice(0, 64) || 'app'
