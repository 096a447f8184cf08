/** One command line, from words to exit code. */
import { NoAnswer } from '../../control/client.ts'
import { commandOf } from './commands.ts'
import { completionScript } from './completion.ts'
import { type Context, UsageError } from './context.ts'
import { EXIT } from './exit.ts'
import { helpText, usageOf } from './help.ts'

/** `open` finds the sockets, where the command needs them. Never rejects. */
export async function run(
  words: readonly string[],
  io: Pick<Context, 'out' | 'err'>,
  open: () => Promise<Context>,
): Promise<number> {
  const [word, ...rest] = words
  if (word === undefined || word === 'help') {
    io.out.write(helpText())
    return EXIT.done
  }
  if (word === 'completion') return printCompletion(rest, io)
  const command = commandOf(word)
  if (command === undefined) {
    io.err.write(`monocerosctl: unknown command ${word}: monocerosctl help lists them\n`)
    return EXIT.usage
  }
  try {
    return await command.run(await open(), rest)
  } catch (error) {
    if (error instanceof UsageError) {
      io.err.write(`monocerosctl: ${error.message}\n${usageOf(word, command)}\n`)
      return EXIT.usage
    }
    if (!(error instanceof NoAnswer)) throw error
    if (error.code === 'ECANCELED') return EXIT.done
    io.err.write(`monocerosctl: ${error.message}\n`)
    return EXIT.noAnswer
  }
}

function printCompletion([shell]: readonly string[], io: Pick<Context, 'out' | 'err'>): number {
  if (shell !== 'bash' && shell !== 'zsh') {
    io.err.write('monocerosctl: completion needs a shell: bash or zsh\n')
    return EXIT.usage
  }
  io.out.write(completionScript(shell))
  return EXIT.done
}
