/** The commands that the companion manager answers. */
import type { Answer } from '../../control/protocol.ts'
import { STATE_WORDS } from '../../supervision/describe.ts'
import { askArbiter, askManager, type Context, UsageError } from './context.ts'
import { EXIT } from './exit.ts'
import { showAnswer, showAnswers } from './show.ts'

/** `start`, `stop`, `restart`: one question for each name, so that one refusal does not hide the others' answers. */
export const control =
  (cmd: 'start' | 'stop' | 'restart') =>
  async (context: Context, names: readonly string[]): Promise<number> => {
    if (names.length === 0) throw new UsageError(`${cmd} needs a name, or all`)
    const answers: Answer[] = []
    for (const name of names) answers.push(await askManager(context, { cmd, name }))
    return showAnswers(context, answers)
  }

export async function reread(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'reread')
  const answer = await askManager(context, { cmd: 'reread' }, { silence: null })
  if (context.json || !answer.ok) return showAnswer(context, answer)
  for (const kind of ['added', 'removed', 'restarted', 'unchanged'] as const) {
    const names = answer[kind] as readonly string[]
    if (names.length > 0) context.out.write(`${kind}: ${names.join(', ')}\n`)
  }
  return EXIT.done
}

/** `signal SIGNAL NAME…`, in supervisorctl's order. */
export async function signal(context: Context, [signal, ...names]: readonly string[]): Promise<number> {
  if (signal === undefined || names.length === 0)
    throw new UsageError('signal needs a signal and a name: signal HUP ticker')
  const answers: Answer[] = []
  for (const name of names) answers.push(await askManager(context, { cmd: 'signal', name, signal }))
  return showAnswers(context, answers)
}

export async function tail(context: Context, words: readonly string[]): Promise<number> {
  let follow = false
  let bytes: number | undefined
  const rest: string[] = []
  for (const word of words) {
    if (word === '-f' || word === '--follow') follow = true
    else if (/^-\d+$/.test(word)) bytes = Number(word.slice(1))
    else rest.push(word)
  }
  const [name, stream = 'stdout', ...more] = rest
  if (name === undefined || more.length > 0)
    throw new UsageError('tail needs one name: tail [-f] [-BYTES] NAME [stdout|stderr]')
  const question = {
    cmd: 'tail',
    name,
    stream,
    ...(bytes === undefined ? {} : { bytes }),
    ...(follow ? { follow } : {}),
  }
  const print = (answer: Answer): void => {
    if (context.json) context.out.write(`${JSON.stringify(answer)}\n`)
    else if (answer.ok) (context.out as NodeJS.WritableStream).write(dataOf(answer))
  }
  const answer = await askManager(context, question, { silence: follow ? null : 10_000, line: print })
  if (!answer.ok) return showAnswer(context, answer)
  print(answer)
  return EXIT.done
}

/** A log need not be text: what is not travels as base64. */
const dataOf = (answer: Answer): string | Buffer =>
  answer.encoding === 'base64' ? Buffer.from(String(answer.data), 'base64') : String(answer.data ?? '')

export async function wait(context: Context, words: readonly string[]): Promise<number> {
  const { rest, timeout } = takeTimeout(words)
  if (rest[0] === 'workers' && rest.length === 1)
    return showAnswer(context, await askArbiter(context, { cmd: 'wait', timeout }, { silence: null }))
  const [name, state = 'RUNNING', ...more] = rest
  const wanted = STATE_WORDS.find((one) => one === state.toUpperCase())
  if (name === undefined || more.length > 0)
    throw new UsageError('wait needs one name: wait NAME [STATE] [--timeout SECONDS]')
  if (wanted === undefined) throw new UsageError(`unknown state ${state}: it is one of ${STATE_WORDS.join(', ')}`)
  return showAnswer(
    context,
    await askManager(context, { cmd: 'wait', name, state: wanted, timeout }, { silence: null }),
  )
}

export async function why(context: Context, words: readonly string[]): Promise<number> {
  const [name, ...more] = words
  if (name === undefined || more.length > 0) throw new UsageError('why needs one name: why NAME')
  const answer = await askManager(context, { cmd: 'why', name })
  if (context.json || !answer.ok) return showAnswer(context, answer)
  context.out.write(`${String(answer.text)}\n`)
  return EXIT.done
}

function takeTimeout(words: readonly string[]): { rest: string[]; timeout: number } {
  const at = words.indexOf('--timeout')
  if (at < 0) return { rest: [...words], timeout: 60 }
  const timeout = Number(words[at + 1] ?? 'nothing')
  if (!(timeout >= 0)) throw new UsageError(`--timeout needs a number of seconds, not ${words[at + 1] ?? 'nothing'}`)
  return { rest: [...words.slice(0, at), ...words.slice(at + 2)], timeout }
}

export function none(words: readonly string[], cmd: string): void {
  if (words.length > 0) throw new UsageError(`${cmd} takes no arguments, not ${words.join(' ')}`)
}
