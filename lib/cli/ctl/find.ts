/**
 * Which sockets monocerosctl speaks to: those that `-s` or MONOCEROS_SOCKET names, those of the instance that `-n`
 * names, or those of the one instance that runs; of several, the one that was started in this directory.
 */
import { readdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { ask, NoAnswer } from '../../control/client.ts'
import { arbiterSocket, instanceOf, managerSocket, socketPlace } from '../../control/paths.ts'
import type { Success } from '../../control/protocol.ts'

/** At least one of the two is there. */
export type Sockets = { readonly arbiter: string | null; readonly manager: string | null }

export type Wanted = {
  readonly socket: string | null
  readonly instance: string | null
  readonly env: NodeJS.ProcessEnv
  /** As the kernel has it: without links. */
  readonly cwd: string
  readonly uid: number
}

type Instance = Sockets & { readonly name: string; readonly cwd: string }

/** How long an instance may take to say who it is, in milliseconds. */
const PATIENCE = 2000

/** Rejects with `NoAnswer` where nobody, or more than one, can be meant. */
export async function findSockets(wanted: Wanted): Promise<Sockets> {
  const named = wanted.socket ?? (wanted.env.MONOCEROS_SOCKET || null)
  if (named !== null) return socketsAt(named)
  const directories = placesToLook(wanted)
  const names = wanted.instance === null ? instancesIn(directories) : null
  const candidates = names ?? directories.map((directory) => ({ directory, name: wanted.instance! }))
  const found = (await Promise.all(candidates.map(instanceAt))).filter((one): one is Instance => one !== null)
  if (found.length === 1) return found[0]!
  if (found.length === 0) {
    const who = wanted.instance === null ? 'no monoceros' : `no monoceros named "${wanted.instance}"`
    throw new NoAnswer(`${who} answers in ${directories.join(', ')}: name its socket with -s PATH`, 'ENOENT')
  }
  const here = found.filter((one) => withoutLinks(one.cwd) === wanted.cwd)
  if (here.length === 1) return here[0]!
  const listed = found.map((one) => `${one.name} (${one.cwd})`).join(', ')
  throw new NoAnswer(`${found.length} are running: ${listed}; name one with -n NAME`, 'EEXIST')
}

/** An instance may have been started in a folder that was named by a link. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

async function socketsAt(path: string): Promise<Sockets> {
  const answer = await ask(path, { cmd: 'version' }, { silence: PATIENCE })
  if (!answer.ok) throw new NoAnswer(`${path}: ${answer.error}`, 'EPROTO')
  return answer.role === 'manager' ? { arbiter: null, manager: path } : { arbiter: path, manager: pathIn(answer) }
}

/** Every directory that a monoceros of this user may have chosen, whatever its environment was. */
function placesToLook({ env, uid }: Wanted): string[] {
  const places = [
    socketPlace(env, uid),
    socketPlace({ ...env, RUNTIME_DIRECTORY: undefined }, uid),
    socketPlace({}, uid, tmpdir()),
  ]
  return [...new Set(places.map((place) => place.directory))]
}

function instancesIn(directories: readonly string[]): { directory: string; name: string }[] {
  return directories.flatMap((directory) => {
    const files = filesIn(directory)
    const names = files.map((file) => instanceOf(file) ?? instanceOf(file.replace(/\.companions\.sock$/, '.sock')))
    return [...new Set(names)].filter((name) => name !== null).map((name) => ({ directory, name }))
  })
}

async function instanceAt({ directory, name }: { directory: string; name: string }): Promise<Instance | null> {
  const arbiter = arbiterSocket(directory, name)
  const manager = managerSocket(directory, name)
  const first = await versionAt(arbiter)
  if (first !== null) return { name, cwd: String(first.cwd), arbiter, manager: pathIn(first) }
  const second = await versionAt(manager)
  return second === null ? null : { name, cwd: String(second.cwd), arbiter: null, manager }
}

async function versionAt(path: string): Promise<Success | null> {
  try {
    const answer = await ask(path, { cmd: 'version' }, { silence: PATIENCE })
    return answer.ok ? answer : null
  } catch {
    return null
  }
}

const pathIn = (answer: Success): string | null =>
  typeof answer.companion_socket === 'string' ? answer.companion_socket : null

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
