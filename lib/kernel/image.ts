/**
 * Replacing this process's image by another version of ourselves (`native/image.cc`). Only the arbiter does that, and
 * nothing can stand in for it, so it is no part of `Kernel`.
 */
import type { Fd } from '../units.ts'

export type Image = {
  /** Absolute path of the addon's own file, which is preloaded into the next image (LD_PRELOAD, ld.so(8)). */
  readonly path: string
  /** Both ends of the self-pipe; -1 before `openSignals`. */
  signalPipe(): { readonly read: Fd; readonly write: Fd }
  /** As `Kernel.execve`, with all signals blocked: for an image that begins preloaded, which opens them again. */
  replace(file: string, argv: readonly string[], env: Readonly<Record<string, string>>, keep: readonly Fd[]): never
  /** This image began preloaded: signals are written to the pipe of the image before since its first moment. */
  isPreloaded(): boolean
  /** There is no way back any more. Until this is called, the end of the process executes the command of before. */
  commit(): void
}

/** Ends the process with `PROBED` where the addon can be preloaded: set for a trial. */
export const PROBE_VARIABLE = 'MONOCEROS_PRELOAD_PROBE'
export const PROBED = 77
/** What LD_PRELOAD is set to again when the image has begun. */
export const PRELOAD_BEFORE_VARIABLE = 'MONOCEROS_PRELOAD_BEFORE'
/** Reading and writing end of the self-pipe, memory of the way back (-1: none), signal numbers; commas between. */
export const IMAGE_VARIABLE = 'MONOCEROS_IMAGE'
