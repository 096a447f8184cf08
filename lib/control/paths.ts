/**
 * Where the control sockets stand, unless a setting names them:
 *
 *   $RUNTIME_DIRECTORY             made by systemd for this service (RuntimeDirectory=)
 *   $XDG_RUNTIME_DIR/monoceros     where that directory is the user's own
 *   TMP/monoceros-UID              otherwise
 *
 * The last two are made with mode 0700, and refused where they are somebody else's or open to others: in a directory
 * that others write to, a socket could be replaced by somebody else's.
 */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** sockaddr_un has room for 108 bytes with the closing NUL (unix(7)). */
const LONGEST_PATH = 107
/** What is left for a socket that is made here: it is bound under a longer name and then renamed. */
export const LONGEST_MADE = 100

export type Place = {
  readonly directory: string
  /** False for a directory that systemd made for the service. */
  readonly ours: boolean
}

/** Which directory it is. Touches nothing. */
export function socketPlace(env: NodeJS.ProcessEnv, uid: number, temporary = tmpdir()): Place {
  const runtime = env.RUNTIME_DIRECTORY?.split(':')[0]
  if (runtime) return { directory: runtime, ours: false }
  const xdg = env.XDG_RUNTIME_DIR
  if (xdg && ownerOf(xdg) === uid) return { directory: join(xdg, 'monoceros'), ours: true }
  return { directory: join(temporary, `monoceros-${uid}`), ours: true }
}

/** Makes the directory where it is ours to make. Throws an `Error` of one line where it cannot be trusted or made. */
export function makePlace(place: Place, uid: number): void {
  if (!place.ours) return
  try {
    mkdirSync(place.directory, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const found = lstatSync(place.directory)
  if (!found.isDirectory()) throw new Error(`${place.directory} is not a directory`)
  if (found.uid !== uid) throw new Error(`${place.directory} belongs to uid ${found.uid}, not to uid ${uid}`)
  if ((found.mode & 0o077) !== 0)
    throw new Error(`${place.directory} has mode ${(found.mode & 0o777).toString(8)}: it must be 700`)
}

/** The name of an instance: `procName` where it was set, else made of what tells two instances apart. */
export function instanceName(procName: string | null, config: string | null, cwd: string): string {
  if (procName !== null) return procName.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)
  return createHash('sha256')
    .update(`${config ?? ''}\0${cwd}`)
    .digest('hex')
    .slice(0, 12)
}

const ARBITER = '.sock'
const MANAGER = '.companions.sock'

export const arbiterSocket = (directory: string, name: string): string => join(directory, `${name}${ARBITER}`)
export const managerSocket = (directory: string, name: string): string => join(directory, `${name}${MANAGER}`)

/** The instance's name that a file of such a directory is the arbiter's socket of, or null. */
export const instanceOf = (file: string): string | null =>
  file.endsWith(ARBITER) && !file.endsWith(MANAGER) ? file.slice(0, -ARBITER.length) : null

/** Why a path cannot be a socket's, in one line, or null. */
export function pathProblem(path: string, longest = LONGEST_PATH): string | null {
  const bytes = Buffer.byteLength(path)
  if (bytes > longest) return `${path} has ${bytes} bytes: a socket's path has at most ${longest}`
  return path.includes('\0') ? 'a socket path must not contain a NUL byte' : null
}

function ownerOf(directory: string): number | null {
  try {
    return statSync(directory).uid
  } catch {
    return null
  }
}
