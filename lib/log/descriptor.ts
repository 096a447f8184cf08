/** A descriptor to write log lines to that does not block where that can be had. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * Opens the pipe or terminal behind `fd` once more, non-blocking.
 *
 * O_NONBLOCK belongs to the open file description, which an inherited descriptor shares with every sibling: set there,
 * a shell beside us would lose output. A description of our own comes from /proc (proc_pid_fd(5)). Regular files keep
 * the one they have: it may have been opened without O_APPEND, and the siblings' position must move with our writes.
 *
 * @returns the new descriptor, or null where writing to `fd` itself is right or the only way.
 */
export function openNonBlocking(fd: number): number | null {
  try {
    if (!fstatSync(fd).isFIFO() && !isatty(fd)) return null
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return null // no /proc, a terminal or pipe of another user, or a closed descriptor
  }
}

/** Opens a log file for appending, 0644 before the umask. Throws open(2)'s error. */
export function openLogFile(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o644)
}

/** close(2), where it does not matter that the descriptor is gone already. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {}
}
