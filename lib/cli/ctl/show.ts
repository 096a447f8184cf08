/** Showing answers: as they came for scripts, as lines for people. */
import type { Answer } from '../../control/protocol.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit.ts'

/** Prints an answer that is a message or an error, and says how the command ends. */
export function showAnswer(context: Context, answer: Answer): number {
  if (context.json) context.out.write(`${JSON.stringify(answer)}\n`)
  else if (!answer.ok) context.err.write(`monocerosctl: ${answer.error}\n`)
  else for (const line of messagesOf(answer)) context.out.write(`${line}\n`)
  return answer.ok ? EXIT.done : EXIT.refused
}

/** Several answers: for scripts one object that holds them, in the order of the questions. */
export function showAnswers(context: Context, answers: readonly Answer[]): number {
  if (answers.length === 1) return showAnswer(context, answers[0]!)
  const ok = answers.every((answer) => answer.ok)
  if (context.json) context.out.write(`${JSON.stringify({ ok, results: answers })}\n`)
  else for (const answer of answers) showAnswer(context, answer)
  return ok ? EXIT.done : EXIT.refused
}

/** One line for each companion where a name meant several; what was refused among them is in the error. */
function messagesOf(answer: Answer): string[] {
  if (typeof answer.message === 'string') return [answer.message]
  if (!Array.isArray(answer.results)) return ['ok']
  return answer.results.map((one: { message?: string; error?: string }) => one.message ?? one.error ?? 'ok')
}
