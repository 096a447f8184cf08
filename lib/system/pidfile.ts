/**
 * The pidfile: the arbiter's pid in a file that it holds locked for as long as it lives.
 *
 * The lock, not the number, says whether somebody lives: after a crash the number may belong to a stranger, and in a
 * container the stale number is often one's own. The kernel drops the lock with its process, so a stale file is simply
 * taken over. POSIX record locks (fcntl_locking(2)) belong to the process: a child does not inherit them, an execve
 * keeps them, and closing any descriptor of the file loses them, so the descriptor stays open here.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Kernel } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import { fd } from '../units.ts'
import { SetupError } from './setup-error.ts'

export type Pidfile = {
  /** Where it stands now. */
  readonly path: string
  /** To be kept over an execve, and then given to `adoptPidfile`. */
  readonly fd: Fd
  /** Moves the file, lock and all, over whatever stands there: `server.pid.2` becomes `server.pid`. */
  rename(path: string): void
  /** Unlinks the file, if it is still ours, and gives up the lock. Idempotent. */
  release(): void
}

type Locking = Pick<Kernel, 'lock'>

/** O_NONBLOCK for a path that turns out to be a FIFO. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** How often a file that vanishes while we lock it is tried again: its holder is leaving just then. */
const ATTEMPTS = 10

/** Creates the file or takes over a stale one. Throws a `SetupError` that names the pid of a living holder. */
export function claimPidfile(path: string, kernel: Locking, pid: number = process.pid): Pidfile {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const file = open(path)
    refuseOther(path, file)
    const holder = kernel.lock(file)
    if (holder !== 0) {
      closeSync(file)
      throw new SetupError(
        `pidfile: ${path} is held by ${holder > 0 ? `process ${holder}` : 'a process'}, which is alive; stop it or set another file`,
      )
    }
    // Between our open and our lock its last holder may have unlinked it: then the lock guards a file without a name.
    if (isStill(path, file)) {
      ftruncateSync(file)
      writeSync(file, `${pid}\n`, 0)
      return adoptPidfile(path, file)
    }
    closeSync(file)
  }
  throw new SetupError(`pidfile: ${path} is replaced again and again by another process`)
}

/** The pidfile that this process holds already, after an execve. */
export function adoptPidfile(path: string, file: Fd): Pidfile {
  let at = path
  let held = true
  return {
    get path() {
      return at
    },
    fd: file,
    rename(to) {
      renameSync(at, to)
      at = to
    },
    release() {
      if (!held) return
      held = false
      // Unlinked before the lock goes: nobody can have taken the file over in between.
      if (isStill(at, file)) unlinkQuietly(at)
      closeSync(file)
    },
  }
}

function open(path: string): Fd {
  try {
    return fd(openSync(path, FLAGS, 0o644))
  } catch (error) {
    throw new SetupError(`pidfile: cannot open ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** A path mistyped as `pidfile` must not cost its content. */
function refuseOther(path: string, file: Fd): void {
  const buffer = Buffer.alloc(32)
  const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
  if (/^\d*\s*$/.test(text)) return
  closeSync(file)
  throw new SetupError(`pidfile: ${path} holds something else than a pid and is left as it is`)
}

function isStill(path: string, file: Fd): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false })
  const ours = fstatSync(file)
  return there?.ino === ours.ino && there.dev === ours.dev
}

/** A folder that we may no longer write to keeps the file; unlocked, it is stale and stops nobody. */
function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {}
}
