/** Text in columns, and colours. Pure. */

export type Cell = string | { readonly text: string; readonly colour: Colour }
export type Colour = 'green' | 'yellow' | 'red' | 'grey' | 'bold'

const CODE: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, grey: 90, bold: 1 }

/** Columns as wide as their widest cell, two blanks apart; no blanks at the end of a line. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], colours: boolean): string {
  const all: Cell[][] = [head.map((text) => ({ text, colour: 'bold' })), ...rows.map((row) => [...row])]
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  const lines = all.map((row) =>
    row
      .map((cell, column) => `${paint(cell, colours)}${' '.repeat(widths[column]! - width(cell))}`)
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

export const paint = (cell: Cell, colours: boolean): string => {
  if (typeof cell === 'string') return cell
  return colours && cell.text !== '' ? `\x1b[${CODE[cell.colour]}m${cell.text}\x1b[0m` : cell.text
}

const width = (cell: Cell): number => (typeof cell === 'string' ? cell : cell.text).length

/** Seconds as `0:00:09`, `3:02:10` or `2 days, 1:00:00`, like supervisorctl. */
export function uptime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const days = Math.floor(whole / 86_400)
  const two = (n: number): string => String(n).padStart(2, '0')
  const clock = `${Math.floor((whole % 86_400) / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`
  if (days === 0) return clock
  return `${days} day${days === 1 ? '' : 's'}, ${clock}`
}

/** Bytes as `812 kB`, `81 MB`, `1.2 GB`. */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
