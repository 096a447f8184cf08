/** Files and folders; relative ones are resolved against the working directory that `chdir` names. Pure. */
import { resolve } from 'node:path'
import { andThen, bad, type Codec, good } from '../codec.ts'
import { refusable, text } from './basic.ts'

const any = text('PATH', 'a path')

/** A path, stored absolute. */
export const path: Codec<string, string> = {
  ...any,
  check: (value, context) => andThen(any.check(value, context), (given) => good(resolve(context.base, given))),
}

/** A log: a file, or `-` for the stream that the setting's text names. */
export const logFile: Codec<string, string> = {
  ...path,
  placeholder: 'FILE',
  allowed: 'a path, or "-"',
  check: (value, context) => (value === '-' ? good('-') : path.check(value, context)),
}

/**
 * The longest path of a UNIX socket in bytes: sun_path has room for 107 (unix(7)), of which the temporary name that a
 * socket is bound under, before it is renamed, needs 7.
 */
export const LONGEST_SOCKET_PATH = 100

const socketAllowed = `a path of at most ${LONGEST_SOCKET_PATH} bytes`

export const socketPath: Codec<string, string> = {
  ...path,
  allowed: socketAllowed,
  check: (value, context) =>
    andThen(path.check(value, context), (absolute) =>
      Buffer.byteLength(absolute) <= LONGEST_SOCKET_PATH ? good(absolute) : bad(value, socketAllowed),
    ),
}

/** A socket's path; `null`: where monoceros puts it; `false`: none. */
export const controlSocket: Codec<string | false | null, string | false | null> = (() => {
  const off = refusable(socketPath)
  return {
    ...off,
    type: `${off.type} | null`,
    check: (value, context) => (value === null ? good(null) : off.check(value, context)),
    format: (value) => value,
  }
})()
