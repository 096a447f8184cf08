/** What `monocerosctl --help` prints. Pure. */
import { COMMANDS, type CtlCommand } from './commands.ts'

export function helpText(): string {
  const rows = Object.entries(COMMANDS).map(([word, row]: [string, CtlCommand]) => ({
    usage: `${word} ${row.usage}`.trim(),
    doc: row.doc,
  }))
  const width = Math.max(...rows.map((row) => row.usage.length))
  return `Usage: monocerosctl [-s PATH | -n NAME] [--json] [COMMAND…]

Speaks to a running monoceros. Without a command: interactive.
A NAME is a companion's, a glob such as "worker:*", or all.

${rows.map((row) => `  ${row.usage.padEnd(width)}  ${row.doc}`).join('\n')}
  ${'completion bash|zsh'.padEnd(width)}  Print the completion script of a shell.
  ${'help'.padEnd(width)}  This text.

  -s, --socket PATH   The control socket; also MONOCEROS_SOCKET.
  -n, --name NAME     The instance whose procName is NAME.
      --json          Print answers as JSON, one object a line.
      --no-color      No colours, also with NO_COLOR.
  -h, --help          This text.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 (status) something does not run, 4 no answer.
`
}

/** The usage of one command. */
export const usageOf = (word: string, row: CtlCommand): string => `usage: monocerosctl ${word} ${row.usage}`.trim()
