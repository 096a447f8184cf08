/** `monocerosctl upgrade`: the arbiter hangs up when it replaces itself; who answers then says what has come of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { NoAnswer } from '../../control/client.ts'
import { type Answer, failure, type Success } from '../../control/protocol.ts'
import { none } from './companions.ts'
import { askArbiter, type Context } from './context.ts'
import { showAnswer } from './show.ts'

/** How long the new version may take until it answers, in milliseconds: beyond its own limit for that. */
const PATIENCE = 90_000
const AGAIN = 100

export async function upgrade(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'upgrade')
  return showAnswer(context, await outcome(context))
}

async function outcome(context: Context): Promise<Answer> {
  const before = await askArbiter(context, { cmd: 'version' })
  try {
    return await askArbiter(context, { cmd: 'upgrade' }, { silence: null })
  } catch (error) {
    if (!(error instanceof NoAnswer) || error.code !== 'ECONNRESET') throw error
  }
  const after = await answering(context)
  const { ok = false, to = '' } = (after.upgraded ?? {}) as { ok?: boolean; to?: string }
  if (!ok) return failure(`the new version did not take over; version ${to} goes on: its log says why`)
  const from = before.ok ? before.version : '?'
  return { ok: true, message: `version ${to} goes on where version ${from} was`, pid: after.pid, version: to }
}

async function answering(context: Context): Promise<Success> {
  const until = performance.now() + PATIENCE
  for (;;) {
    try {
      const answer = await askArbiter(context, { cmd: 'version' })
      if (answer.ok) return answer
      throw new NoAnswer(answer.error, 'EPROTO')
    } catch (error) {
      // The socket is there all the while: who finds none, or nobody at it, finds an arbiter that has ended.
      const isOver = !(error instanceof NoAnswer) || error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      if (isOver || performance.now() > until) throw error
      await delay(AGAIN)
    }
  }
}
