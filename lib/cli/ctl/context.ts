/** What a command of monocerosctl works with. */
import { type AskOptions, ask, NoAnswer, type Question } from '../../control/client.ts'
import type { Answer } from '../../control/protocol.ts'
import type { Sockets } from './find.ts'

export type Output = { write(text: string): unknown }

export type Context = {
  readonly sockets: Sockets
  readonly json: boolean
  readonly colours: boolean
  readonly out: Output
  readonly err: Output
  /** Fires at Ctrl-C, for commands that go on until then. */
  readonly cancelled: AbortSignal
}

/** A mistake in how a command was written; `message` says what is right. */
export class UsageError extends Error {}

/** Asks the arbiter. Rejects with `NoAnswer` where there is none. */
export function askArbiter(context: Context, question: Question, options?: AskOptions): Promise<Answer> {
  if (context.sockets.arbiter === null)
    throw new NoAnswer('this is the socket of a companion manager: name the arbiter’s with -s PATH', 'ENOENT')
  return ask(context.sockets.arbiter, question, { cancelled: context.cancelled, ...options })
}

/** Asks the companion manager. Rejects with `NoAnswer` where there is none. */
export function askManager(context: Context, question: Question, options?: AskOptions): Promise<Answer> {
  if (context.sockets.manager === null)
    throw new NoAnswer(
      'no companion manager is running: no companions are configured, or it is just being started',
      'ENOENT',
    )
  return ask(context.sockets.manager, question, { cancelled: context.cancelled, ...options })
}
