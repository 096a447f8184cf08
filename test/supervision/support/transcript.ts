/**
 * Transcripts: a file of lines, each either a comment (`#`), a setting (`policy …`), or an event after `>`; what the
 * machine answers stands below it, indented. `UPDATE_TRANSCRIPTS=1` writes the answers anew.
 */
import fs from 'node:fs'
import path from 'node:path'

export const FOLDER = path.join(__dirname, '..', 'transcripts')

/** A machine under transcript: told one line, it returns what it does, a line each. */
export type Actor = {
  set(words: readonly string[]): void
  tell(words: readonly string[]): readonly string[]
}

/** Replays a transcript; both texts are equal where the machine still does as it did. */
export function replay(file: string, actor: Actor): { readonly recorded: string; readonly played: string } {
  const recorded = fs.readFileSync(path.join(FOLDER, file), 'utf8')
  const played: string[] = []
  for (const line of recorded.split('\n')) {
    if (line.startsWith('  ')) continue
    played.push(line)
    if (line.startsWith('policy ')) actor.set(line.split(' ').slice(1))
    else if (line.startsWith('> '))
      for (const answer of actor.tell(line.slice(2).split(' '))) played.push(`  ${answer}`)
    else if (line !== '' && !line.startsWith('#')) throw new Error(`${file}: cannot read "${line}"`)
  }
  const text = played.join('\n')
  if (process.env.UPDATE_TRANSCRIPTS === '1' && text !== recorded) fs.writeFileSync(path.join(FOLDER, file), text)
  return { recorded: process.env.UPDATE_TRANSCRIPTS === '1' ? text : recorded, played: text }
}

export const transcripts = (prefix: string): readonly string[] =>
  fs.readdirSync(FOLDER).filter((name) => name.startsWith(`${prefix}-`) && name.endsWith('.txt'))

/** `code 1` or `SIGKILL`. */
export function exitOf(words: readonly string[]): {
  code: number | null
  signal: NodeJS.Signals | null
  core: boolean
} {
  if (words[0] === 'code') return { code: Number(words[1]), signal: null, core: false }
  return { code: null, signal: words[0] as NodeJS.Signals, core: false }
}
