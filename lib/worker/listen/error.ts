/** The error that Node itself would emit when a server cannot listen. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

type Called = (...args: never[]) => unknown
type ListenError = Error & { code: string; errno: number; syscall: 'listen'; address: string; port: number }

/**
 * `code` is the errno's name. `address` and `port` as the app's `listen` has them: null for all interfaces, a negative
 * port for a path. `message` is used where the errno has no text of its own. `from`: what the app called; its stack
 * begins where it did that, or in Node (above `within`) where that was in another turn.
 */
export const listenError = (
  refusal: { readonly code: string; readonly message: string },
  address: string | null,
  port: number,
  { from, within }: { readonly from: Called; readonly within: Called },
): ListenError => {
  const errno = -(constants.errno as Record<string, number>)[refusal.code]! || -constants.errno.EINVAL
  const text = getSystemErrorMap().get(errno)?.[1] ?? refusal.message
  const host = address ?? '::'
  const where = port >= 0 ? `${host}:${port}` : host
  const error = new Error(`listen ${refusal.code}: ${text} ${where}`)
  Error.captureStackTrace(error, from)
  if (!error.stack?.includes('\n    at ')) Error.captureStackTrace(error, within)
  return Object.assign(error, {
    code: refusal.code,
    errno,
    syscall: 'listen' as const,
    address: host,
    port,
  })
}
