/**
 * How many descriptors a program may open that is no Node. Node raises its own soft limit to the hard one as it starts,
 * and what it starts inherits that; a program that uses select(2), or closes all it might have, fares badly with a million.
 * What the limit was is nowhere kept, but whoever started us (a shell) still has it: the nearest ancestor that is no Node.
 * Behind systemd or as a container's first process nobody of the kind is there.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

export type OpenFiles = { readonly soft: number; readonly hard: number }

/** Ancestors that are looked at: package managers start one another. */
const HEIGHT = 8

/** The limit that `of` was started with; null where that cannot be known, or it has it still. */
export function openFilesAtStart(of: number = process.pid, proc = '/proc'): OpenFiles | null {
  try {
    const own = limitOf(of, proc)
    let ancestor = parentOf(of, proc)
    for (let height = 1; height < HEIGHT && ancestor > 0 && isNode(ancestor, proc); height++)
      ancestor = parentOf(ancestor, proc)
    if (own === null || ancestor <= 0) return null
    const theirs = limitOf(ancestor, proc)
    // Another hard limit was set on purpose, and the soft one with it.
    return theirs !== null && theirs.hard === own.hard && theirs.soft < own.soft ? theirs : null
  } catch {
    return null
  }
}

/** Null where it has none. proc_pid_limits(5). */
function limitOf(of: number, proc: string): OpenFiles | null {
  const found = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`${proc}/${of}/limits`, 'latin1'))
  return found === null ? null : { soft: Number(found[1]), hard: Number(found[2]) }
}

const parentOf = (of: number, proc: string): number =>
  Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`${proc}/${of}/status`, 'latin1'))?.[1] ?? 0)

const isNode = (of: number, proc: string): boolean => {
  const program = readlinkSync(`${proc}/${of}/exe`)
  return program === process.execPath || basename(program) === 'node'
}
