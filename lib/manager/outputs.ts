/**
 * What a companion gets as its descriptors 1 and 2, by its configuration:
 *
 *   file      opened for appending, its own; or a pipe to the manager, which writes to the file (`logMode: pipe`)
 *   inherit   the manager's own, reopened: see `openInherited`
 *   stdout    stderr only: the very same descriptor
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { CompanionConfig } from '../config/companions.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Fd, fd } from '../units.ts'
import type { LogFile, LogFiles } from './log-file.ts'
import { Pump } from './pump.ts'

export type Outputs = {
  readonly stdout: Fd
  readonly stderr: Fd
  /** The child has been spawned, or not: our ends of what it got are closed, and the pipes are listened to. */
  started(): void
  /** It was reaped: what it has left in its pipes is taken. */
  ended(): void
}

type Config = Pick<CompanionConfig, 'stdout' | 'stderr' | 'logMode' | 'logMaxBytes' | 'logBackups'>

/** Throws an `Error` of one line that names the stream where a file cannot be opened; then nothing stays open. */
export function openOutputs(kernel: Kernel, files: LogFiles, config: Config): Outputs {
  const theirs: Fd[] = []
  const taken: { readonly from: Fd; readonly file: LogFile }[] = []
  const pumps: Pump[] = []
  const release = (): void => {
    for (const one of theirs.splice(0)) kernel.close(one)
  }

  const open = (stream: 'stdout' | 'stderr', own: number): Fd => {
    const output = config[stream]
    try {
      if (output.kind === 'stdout') return theirs[0]!
      const opened = output.kind === 'inherit' ? openInherited(kernel, own) : openFile(output.path)
      theirs.push(opened)
      return opened
    } catch (error) {
      throw new Error(`${stream}: ${(error as Error).message}`)
    }
  }
  const openFile = (path: string): Fd => {
    if (!isPiped(config)) return kernel.openAppend(path)
    const file = files.take(path, { maxBytes: config.logMaxBytes, backups: config.logBackups })
    const { read, write } = kernel.pipe()
    taken.push({ from: read, file })
    return write
  }
  const giveBack = (): void => {
    for (const { file } of taken.splice(0)) files.giveBack(file)
  }

  try {
    const stdout = open('stdout', 1)
    const stderr = open('stderr', 2)
    return {
      stdout,
      stderr,
      started() {
        release()
        for (const { from, file } of taken) pumps.push(new Pump(kernel, from, file))
      },
      ended() {
        for (const pump of pumps.splice(0)) pump.finish()
        giveBack()
      },
    }
  } catch (error) {
    release()
    for (const { from } of taken) kernel.close(from)
    giveBack()
    throw error
  }
}

/** A file that must be rotated is written by the manager alone. */
export const isPiped = ({ logMode, logMaxBytes }: Pick<Config, 'logMode' | 'logMaxBytes'>): boolean =>
  logMode === 'pipe' || logMaxBytes > 0

/**
 * The manager's own stdout or stderr for a child. O_NONBLOCK belongs to the open file description, which a plain dup
 * would share: a Node process sets it on a pipe, and a shell beside it then loses output. So a pipe or a terminal is
 * opened anew through /proc; without waiting, as nobody may be reading any more, and made to wait afterwards. What
 * cannot be opened (a socket) and what must not (a file: its position is shared) is passed on as it is.
 */
export function openInherited(kernel: Kernel, own: number): Fd {
  try {
    const found = fstatSync(own)
    if (!found.isFIFO() && !found.isCharacterDevice()) return kernel.dup(fd(own))
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    const opened = fd(openSync(`/proc/self/fd/${own}`, flags))
    try {
      kernel.setNonBlocking(opened, false)
    } catch (error) {
      closeSync(opened)
      throw error
    }
    return opened
  } catch {
    return kernel.dup(fd(own))
  }
}
