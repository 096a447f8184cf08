import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { KernelError, SpawnError } from './kernel.ts'

/** Whether a thrown value is a failed system call; with `code` (`'ENOENT'`), whether it failed by that. */
export function isKernelError(error: unknown, code?: string): error is KernelError {
  return (
    error instanceof Error &&
    'syscall' in error &&
    'errno' in error &&
    'code' in error &&
    (code === undefined || error.code === code)
  )
}

/** Whether a thrown value came from `spawn` and says at which stage. */
export const isSpawnError = (error: unknown): error is SpawnError => isKernelError(error) && 'stage' in error

/**
 * A `KernelError` made without a system call, worded as the addon words its own.
 *
 * @param code the errno's name, as in `os.constants.errno`
 */
export function kernelError(code: keyof typeof constants.errno, syscall: string, path?: string): KernelError {
  const errno = -constants.errno[code]
  const text = getSystemErrorMap().get(errno)?.[1] ?? 'unknown error'
  const error = new Error(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${path}'`}`)
  return Object.assign(error, { code, errno, syscall, ...(path === undefined ? {} : { path }) })
}
