/** What `--help` prints. Pure. */
import { defaultText, firstSentence, flagText } from '../config/describe.ts'
import { OWN_FLAGS } from '../config/flags.ts'
import type { AnySetting } from '../config/setting.ts'
import { SECTIONS } from '../config/settings.ts'

/** `columns`: how wide the terminal is. */
export function helpText(columns: number): string {
  const own = Object.entries(OWN_FLAGS).map(([flag, { short, placeholder, doc }]) =>
    item(
      [short, flag].filter(Boolean).join(', ') + (placeholder === null ? '' : ` ${placeholder}`),
      `${doc}.`,
      columns,
    ),
  )
  const sections = SECTIONS.flatMap(({ title, rows }) => {
    const items = Object.entries(rows as Readonly<Record<string, AnySetting>>).flatMap(([name, row]) => {
      const flags = flagText(name, row)
      return flags === '' ? [] : [item(flags, `${firstSentence(row.doc)}${fallback(row)}`, columns)]
    })
    return items.length === 0 ? [] : [`${title}:`, ...items, '']
  })
  return `${[...USAGE, ...own, '', ...sections, ...CLOSING].join('\n')}\n`
}

const USAGE = [
  'Usage: monoceros [flags] APP[:EXPORT] [-- app arguments]',
  '       monoceros systemd [--unit NAME] [--directory DIR] [flags] APP',
  '       monoceros from-pm2 [--app NAME] [--env NAME] [FILE]',
  '',
  'Serves a Node app with several worker processes that are kept alive.',
  '',
  '  monoceros server.js              a script that listens by itself',
  '  monoceros app.js:createApp -w 4  an export, served by 4 workers',
  '  monoceros systemd -w 4 server.js prints unit files for systemd that run this',
  "  monoceros from-pm2               prints a config file made from PM2's ecosystem.config.js",
  '',
]

const CLOSING = [
  'Companions and hooks are set in a config file: see docs/configuration.md,',
  'and docs/settings.md for every setting.',
]

/** `(30s)` at the end; a switch that is off, and what is not set, needs no word. */
function fallback(row: AnySetting): string {
  const empty = row.default === null || row.default === false || JSON.stringify(row.default) === '[]'
  if (empty || row.secret) return row.variable === undefined ? '' : ` [$${row.variable}]`
  return ` [${row.variable === undefined ? '' : `$${row.variable}, else `}${defaultText(row)}]`
}

const INDENT = 8

function item(flags: string, doc: string, columns: number): string {
  const width = Math.max(40, Math.min(columns, 110)) - INDENT
  const lines: string[] = []
  let line = ''
  for (const word of doc.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line += line === '' ? word : ` ${word}`
  }
  return [`  ${flags}`, ...[...lines, line].map((text) => ' '.repeat(INDENT) + text)].join('\n')
}
