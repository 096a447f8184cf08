/**
 * Taking a path for a control socket, and giving it back.
 *
 * A lock file beside the socket says whose the path is: an exclusive record lock, which ends with its holder. Under the
 * lock nobody else of monoceros touches the path. What stands there is replaced only where it is a dead socket, and at
 * the end only a file that is still the one made here is unlinked:
 *
 *   A locks, binds ──► somebody removes the file ──► B makes his own there ──► A ends and leaves B's alone
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Kernel } from '../kernel/kernel.ts'
import { type Fd, fd, type Pid } from '../units.ts'
import { LONGEST_MADE, pathProblem } from './paths.ts'

/** The path cannot be had; `message` is one line. `holder`: the process that has it. */
export class ControlError extends Error {
  readonly holder: Pid | null
  constructor(message: string, holder: Pid | null = null) {
    super(message)
    this.name = 'ControlError'
    this.holder = holder
  }
}

export type Claim = {
  readonly listener: Fd
  readonly lock: Fd
  /** Unlinks what is still ours, closes both. */
  release(): void
}

/** Connections that wait to be accepted: more than any number of operators. */
const BACKLOG = 256

/** How often a lock file may be replaced under us before we give up. */
const MOST_TRIES = 8

/** Locks the path and listens on it, mode 0600. Throws a `ControlError`. */
export function claimPath(path: string, kernel: Kernel): Claim {
  const problem = pathProblem(path, LONGEST_MADE)
  if (problem !== null) throw new ControlError(`control socket: ${problem}`)
  if (lookAt(dirname(path)) === null) throw new ControlError(`control socket: ${dirname(path)} does not exist`)
  const lock = takeLock(`${path}.lock`, kernel)
  try {
    return listenUnder(lock, path, kernel)
  } catch (error) {
    dropLock(`${path}.lock`, lock)
    throw error instanceof ControlError ? error : new ControlError(`control socket: ${(error as Error).message}`)
  }
}

/** Goes on with a listener and a lock that this process had before it replaced its image. */
export function inheritClaim(path: string, listener: Fd, lock: Fd): Claim {
  return claimOf(path, listener, lock)
}

function listenUnder(lock: Fd, path: string, kernel: Kernel): Claim {
  const there = lookAt(path)
  if (there !== null && !there.isSocket())
    throw new ControlError(`control socket: ${path} is in the way and is no socket; it was left as it is`)
  const listener = kernel.listen({ kind: 'unix', path, mode: 0o600 }, { backlog: BACKLOG })
  return claimOf(path, listener, lock)
}

function claimOf(path: string, listener: Fd, lock: Fd): Claim {
  const made = lookAt(path)
  return {
    listener,
    lock,
    release() {
      if (made !== null) unlinkSame(path, made)
      closeSync(listener)
      dropLock(`${path}.lock`, lock)
    },
  }
}

/**
 * A lock file is unlinked by the one who holds it. Whoever opened it before that and locks it afterwards holds a lock
 * on a file that nobody finds any more; so what was locked is compared with what stands there.
 */
function takeLock(path: string, kernel: Kernel): Fd {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const file = openLock(path)
    const opened = fstatSync(file)
    const holder = opened.isFile() && opened.size === 0 ? kernel.lock(file) : null
    if (holder === 0 && same(lookAt(path), opened)) return file
    closeSync(file)
    if (holder === null)
      throw new ControlError(`control socket: ${path} is in the way and is no lock file of monoceros`)
    if (holder !== 0) throw new ControlError(`control socket: ${path} is locked by process ${holder}`, holder)
  }
  throw new ControlError(`control socket: ${path} is replaced again and again by somebody else`)
}

function openLock(path: string): Fd {
  try {
    return fd(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600))
  } catch (error) {
    throw new ControlError(`control socket: ${(error as Error).message}`)
  }
}

function dropLock(path: string, lock: Fd): void {
  unlinkSame(path, fstatSync(lock))
  closeSync(lock)
}

function unlinkSame(path: string, made: Stats): void {
  if (!same(lookAt(path), made)) return
  try {
    unlinkSync(path)
  } catch {
    // A directory that became read-only keeps the file; the next owner of the path replaces it.
  }
}

const same = (there: Stats | null, made: Stats): boolean =>
  there !== null && there.dev === made.dev && there.ino === made.ino

function lookAt(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    return null
  }
}
