/** The settings page, docs/settings.md, made from the table. Pure. */

import { COMPANION_FIELDS } from './companion-fields.ts'
import { CONFIG_FILES } from './config-files.ts'
import { defaultText, flagText } from './describe.ts'
import { ARGUMENTS_VARIABLE } from './environment.ts'
import type { AnySetting, Effect } from './setting.ts'
import { SECTIONS } from './settings.ts'

/** Markdown, with a line break at the end. */
export function settingsPage(): string {
  const sections = SECTIONS.map(({ title, rows }) => {
    const entries = Object.entries(rows as Readonly<Record<string, AnySetting>>)
    return [`## ${title}`, ...entries.map(([name, row]) => entry(name, row))].join('\n\n')
  })
  return `${[INTRODUCTION, ...sections, COMPANION_KEYS].join('\n\n')}\n`
}

const EFFECT = {
  live: 'at a reload, at once',
  workers: 'at a reload, with the new workers',
  restart: 'needs a restart',
} satisfies Record<Effect, string>

const INTRODUCTION = `# Settings

<!-- Made from the settings table by \`npm run docs\`; change it there (lib/config/settings/). -->

Every setting can stand in the config file (${CONFIG_FILES.map((name) => `\`${name}\``).join(', ')}, or the file that
\`--config\` names) under its name, and most have a flag. Order, the last wins: defaults, variables that stand for defaults, the config
file, flags in \`${ARGUMENTS_VARIABLE}\`, flags. See [configuration](configuration.md) for an example.

A *duration* is a number of seconds (0.5 too) or a text with a unit: \`"250ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\`. A *size* is a number of
bytes or a text with a unit of 1024: \`"16kb"\`, \`"512mb"\`, \`"1gb"\`. Relative paths start at \`chdir\`.`

const COMPANION_KEYS = `### Keys of a companion

${Object.entries(COMPANION_FIELDS)
  .map(([name, codec]) => `- \`${name}\`: ${codec.allowed}`)
  .join('\n')}

What they mean, with examples: [companions](companions.md).`

function entry(name: string, row: AnySetting): string {
  const flags = flagText(name, row)
  const facts = [
    flags === '' ? null : `- Flag: \`${flags}\``,
    `- Type: \`${row.type.type}\` (${row.type.allowed})`,
    `- Default: \`${defaultText(row)}\`${row.variable === undefined ? '' : `, or \`$${row.variable}\``}`,
    `- A change takes effect: ${EFFECT[row.effect]}`,
    row.secret ? '- Secret: its values are shown nowhere' : null,
  ]
  return `### ${name}\n\n${row.doc}\n\n${facts.filter((fact) => fact !== null).join('\n')}`
}
