import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { KernelError } from './kernel.ts'

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
