/** The commands that the arbiter answers, alone or together with the manager. */
import { NoAnswer } from '../../control/client.ts'
import { type Answer, failure, type Success } from '../../control/protocol.ts'
import { none } from './companions.ts'
import { askArbiter, askManager, type Context, UsageError } from './context.ts'
import { EXIT } from './exit.ts'
import { showAnswer } from './show.ts'
import { allRun, joinStatus, type Row, statusText } from './status.ts'
import { table } from './table.ts'

/** Both sockets, as one. Names are companions'. */
export async function status(context: Context, names: readonly string[]): Promise<number> {
  const { arbiter, manager } = context.sockets
  const asked = names.length > 0
  const first = arbiter === null || asked ? null : await askArbiter(context, { cmd: 'status' })
  if (first !== null && !first.ok) return showAnswer(context, first)
  if (asked && manager === null) await askManager(context, { cmd: 'status' })
  const second = manager === null ? null : await managerStatus(context, names)
  if (second !== null && !second.ok) return showAnswer(context, second)
  const joined = joinStatus(first, second)
  if (context.json) {
    const whole = { ...first, ok: true, ...(second === null ? {} : { companions: joined.companions }) }
    context.out.write(`${JSON.stringify(whole)}\n`)
  } else context.out.write(statusText(joined, context.colours))
  return allRun(joined) ? EXIT.done : EXIT.notRunning
}

/** A manager that is just being started again must not hide the workers. */
async function managerStatus(context: Context, names: readonly string[]): Promise<Answer | null> {
  const rows: unknown[] = []
  try {
    for (const name of names.length > 0 ? names : [null]) {
      const answer = await askManager(context, name === null ? { cmd: 'status' } : { cmd: 'status', name })
      if (!answer.ok) return answer
      rows.push(...(answer.companions as unknown[]))
    }
  } catch (error) {
    if (!(error instanceof NoAnswer) || context.sockets.arbiter === null || names.length > 0) throw error
    context.err.write(`monocerosctl: no answer from the companion manager: ${error.message}\n`)
    return null
  }
  return { ok: true, companions: rows }
}

export async function listeners(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'listeners')
  const answer = await askArbiter(context, { cmd: 'listeners' })
  if (context.json || !answer.ok) return showAnswer(context, answer)
  for (const one of answer.listeners as readonly { address: string }[]) context.out.write(`${one.address}\n`)
  return EXIT.done
}

/** Waits for the outcome, however long the new generation takes. */
export async function reload(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'reload')
  return showAnswer(context, await askArbiter(context, { cmd: 'reload' }, { silence: null }))
}

/** `scale +2`, `scale -1`, `scale 4`. */
export async function scale(context: Context, words: readonly string[]): Promise<number> {
  const [by, ...more] = words
  if (by === undefined || more.length > 0 || !/^[+-]?\d{1,4}$/.test(by))
    throw new UsageError('scale needs a number of workers: scale +1, scale -1 or scale 4')
  return showAnswer(context, await askArbiter(context, { cmd: 'scale', to: by }))
}

/** `kill SLOT [SIGNAL]`. */
export async function kill(context: Context, words: readonly string[]): Promise<number> {
  const [slot, signal, ...more] = words
  if (slot === undefined || more.length > 0 || !/^\d{1,4}$/.test(slot))
    throw new UsageError('kill needs the slot of a worker: kill 0, or kill 0 TERM')
  const question = { cmd: 'kill', slot: Number(slot), ...(signal === undefined ? {} : { signal }) }
  return showAnswer(context, await askArbiter(context, question))
}

export async function config(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'config')
  const answer = await askArbiter(context, { cmd: 'config' })
  if (context.json || !answer.ok) return showAnswer(context, answer)
  context.out.write(`${JSON.stringify(answer.config, null, 2)}\n`)
  return EXIT.done
}

/** Stops monoceros, as TERM would; `--quick`: as QUIT would. */
export async function shutdown(context: Context, words: readonly string[]): Promise<number> {
  const quick = words[0] === '--quick'
  none(quick ? words.slice(1) : words, 'shutdown')
  return showAnswer(context, await askArbiter(context, { cmd: 'stop', ...(quick ? { quick } : {}) }))
}

export async function version(context: Context, words: readonly string[]): Promise<number> {
  none(words, 'version')
  const rows: Row[] = []
  if (context.sockets.arbiter !== null) rows.push(await versionOf(askArbiter(context, { cmd: 'version' })))
  if (context.sockets.manager !== null) rows.push(await versionOf(askManager(context, { cmd: 'version' })))
  if (context.json) context.out.write(`${JSON.stringify({ ok: true, processes: rows })}\n`)
  else {
    const cells = rows.map((row) => [row.role, row.pid, row.version, row.node].map((value) => String(value ?? '-')))
    context.out.write(table(['PROCESS', 'PID', 'MONOCEROS', 'NODE'], cells, context.colours))
  }
  return EXIT.done
}

async function versionOf(asked: Promise<Answer>): Promise<Success> {
  const answer = await asked
  if (!answer.ok) throw new NoAnswer(failure(answer.error).error, 'EPROTO')
  return answer
}
