/** Completing words: for the interactive mode, and as scripts for bash and zsh. Pure. */
import { constants } from 'node:os'
import { STATE_WORDS } from '../../supervision/describe.ts'
import { COMMANDS, type Completion, commandOf } from './commands.ts'

const WORDS = [...Object.keys(COMMANDS), 'help', 'completion']

/** What the last of these words could become; `names` are the companions'. */
export function complete(words: readonly string[], names: readonly string[]): string[] {
  const last = words.at(-1) ?? ''
  if (words.length <= 1) return WORDS.filter((word) => word.startsWith(last))
  if (words[0] === 'completion') return ['bash', 'zsh'].filter((word) => word.startsWith(last))
  const completes = commandOf(words[0]!)?.completes ?? []
  const before = words.slice(1, -1).filter((word) => !word.startsWith('-')).length
  const kind = completes[Math.min(before, completes.length - 1)]
  return kind === undefined
    ? []
    : choices(kind, names).filter((word) => word.toLowerCase().startsWith(last.toLowerCase()))
}

function choices(kind: Completion, names: readonly string[]): string[] {
  switch (kind) {
    case 'companion':
      return [...names, 'all']
    case 'signal':
      return Object.keys(constants.signals).map((name) => name.slice(3))
    case 'state':
      return [...STATE_WORDS]
    case 'stream':
      return ['stdout', 'stderr']
    case 'nothing':
      return []
  }
}

/** The shell asks monocerosctl itself, through a command that is not in the help: names are those that run now. */
export function completionScript(shell: 'bash' | 'zsh'): string {
  if (shell === 'bash')
    return `# monocerosctl completion for bash: source <(monocerosctl completion bash)
_monocerosctl() {
  local IFS=$'\\n' cur
  # A colon is part of a name here, not the end of a word.
  _get_comp_words_by_ref -n : cur words cword 2>/dev/null || { cur=\${COMP_WORDS[COMP_CWORD]}; words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
  COMPREPLY=($(monocerosctl __complete "\${words[@]:1:cword}" 2>/dev/null))
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}
complete -F _monocerosctl monocerosctl
`
  return `#compdef monocerosctl
# monocerosctl completion for zsh: source <(monocerosctl completion zsh)
_monocerosctl() {
  local -a found
  found=("\${(@f)$(monocerosctl __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n $found ]] && compadd -- $found
}
compdef _monocerosctl monocerosctl
`
}
