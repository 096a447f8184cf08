/** What is remembered of the last end of each companion, for `why`: what the supervision core has no use for. */
import type { Success } from '../control/protocol.ts'
import type { Exit } from '../kernel/kernel.ts'
import type { Companion } from '../supervision/companions.ts'
import { durationWords, endedWords, exitWords, nextWords, stateWord, troubleWords } from '../supervision/describe.ts'
import { pidOf, troubleOf } from '../supervision/life.ts'
import type { Ms } from '../units.ts'
import type { Child } from './children.ts'
import { lastLines } from './tail.ts'

export type Obituary = {
  /** The signal that ended it had been asked for by the command `signal`. */
  readonly asked: boolean
  readonly outOfMemory: boolean
  /** The last lines of its stderr; null where that is no file. */
  readonly stderr: string | null
}

/** How much of its stderr is kept, in bytes. */
const LAST_WORDS = 2048

/** Written when it is reaped and its outputs have been emptied. */
export function writeObituary(child: Child, exit: Exit, outOfMemory: boolean): Obituary {
  const { stderr, stdout } = child.config
  const log = stderr.kind === 'stdout' ? stdout : stderr
  return {
    asked: exit.signal !== null && exit.signal === child.asked,
    outOfMemory,
    stderr: log.kind === 'file' ? lastLines(log.path, LAST_WORDS, child.stderrFrom ?? 0) : null,
  }
}

/** The answer to `why`: `text` for people, the rest for scripts. */
export function explain({ spec, life, manualStop }: Companion, obituary: Obituary | undefined, now: Ms): Success {
  const { last } = life
  const trouble = troubleOf(life)
  const state = stateWord(life)
  const facts = {
    name: spec.name,
    state,
    reason: trouble === null ? null : troubleWords(trouble),
    last_exit_code: last?.exit.code ?? null,
    last_exit_signal: last?.exit.signal ?? null,
    core: last?.exit.core ?? false,
    out_of_memory: obituary?.outOfMemory ?? false,
    stderr: obituary?.stderr ?? null,
  }
  const lines = [`${spec.name} is ${state}${manualStop ? ' (stopped by command)' : ''}.`]
  if (last === null) {
    lines.push(trouble === null ? 'It has never ended.' : `It ${troubleWords(trouble)}.`)
  } else {
    const ago = `${durationWords(now - last.at)} ago, after ${durationWords(last.lived)}`
    lines.push(`Process ${last.pid} ${endOf(last, obituary)}, ${ago}.`)
    if (last.trouble?.kind === 'exited' && last.trouble.fault !== null)
      lines.push(`It said: ${last.trouble.fault.text}`)
    if (trouble !== null && trouble.kind !== 'exited') lines.push(`Since then it ${troubleWords(trouble)}.`)
  }
  const pid = pidOf(life)
  lines.push(pid === null ? `${capital(nextWords(life, now))}.` : `Process ${pid} is there now.`)
  if (obituary?.stderr)
    lines.push('Its last lines on stderr:', ...obituary.stderr.split('\n').map((line) => `  ${line}`))
  else if (obituary !== undefined && obituary.stderr === null) lines.push("Its stderr went to monoceros's own output.")
  return { ok: true, ...facts, text: lines.join('\n') }
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)

function endOf(last: NonNullable<Companion['life']['last']>, obituary: Obituary | undefined): string {
  if (obituary?.outOfMemory) return endedWords(last, 'out of memory')
  return obituary?.asked ? `${exitWords(last.exit)}, sent by the command "signal"` : endedWords(last)
}
