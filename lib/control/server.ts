/**
 * The control socket's server, of the arbiter and of the manager alike: each brings its own table of commands.
 *
 * It must never be what delays its process. Each turn accepts a few connections, each connection has one request in
 * work, its next one is read when its answer has been taken, and what a connection may hold is limited: one line in,
 * one answer out. When all places are taken, the connection that has been quiet for longest makes room.
 */
import { closeSync } from 'node:fs'
import type { Kernel, Watch } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import { type Claim, claimPath, inheritClaim } from './claim.ts'
import { Connection } from './connection.ts'
import type { Commands } from './protocol.ts'

export type ControlOptions = {
  readonly path: string
  readonly kernel: Kernel
  readonly commands: Commands
  /** Runs a command when it may be run: the loop's turn. Without it, at once. */
  readonly schedule?: (job: () => void) => void
  /** A command threw, or accepting failed: a defect or a full descriptor table, for the log. */
  readonly failed?: (error: unknown) => void
  /** Uids that may give commands. Default: our own effective one and root. */
  readonly uids?: readonly number[]
  /** Connections at once. Default 256. */
  readonly most?: number
  /** Listener and lock of this process before it replaced its image (execve). */
  readonly inherited?: { readonly listener: Fd; readonly lock: Fd }
}

export type ControlServer = {
  readonly path: string
  /** To be kept over an execve, for `inherited`. */
  readonly listener: Fd
  readonly lock: Fd
  /** How many clients are connected. */
  clients(): number
  /** Removes the socket and lets go of everybody; a request in work is answered with a failure. */
  close(): void
}

const MOST_CLIENTS = 256
const ACCEPTED_A_TURN = 32
/** How long nothing is accepted after accepting has failed (a full descriptor table), in milliseconds. */
const ACCEPT_PAUSE = 1000

/** Takes the path and serves. Throws a `ControlError` of one line: a warning to its caller, not a failure to serve. */
export function openControl(options: ControlOptions): ControlServer {
  const { path, kernel, inherited } = options
  const claim: Claim = inherited ? inheritClaim(path, inherited.listener, inherited.lock) : claimPath(path, kernel)
  const uids = options.uids ?? [process.geteuid!(), 0]
  const most = options.most ?? MOST_CLIENTS
  const connections = new Set<Connection>()
  let watch: Watch | undefined
  let pause: NodeJS.Timeout | undefined

  const listen = (): void => {
    watch = kernel.watch(claim.listener, 'readable', acceptSome)
  }
  const acceptSome = (): void => {
    try {
      for (let n = 0; n < ACCEPTED_A_TURN; n++) {
        const socket = kernel.accept(claim.listener)
        if (socket === null) return
        welcome(socket)
      }
    } catch (error) {
      options.failed?.(error)
      watch?.close()
      quietest(connections)?.close()
      pause = setTimeout(listen, ACCEPT_PAUSE)
    }
  }
  const welcome = (socket: Fd): void => {
    const uid = peerUid(kernel, socket)
    if (uid === null) {
      closeSync(socket)
      return
    }
    if (connections.size >= most) quietest(connections)?.close()
    const connection = new Connection(socket, options, () => connections.delete(connection))
    connections.add(connection)
    if (!uids.includes(uid)) connection.refuse(`uid ${uid} may not give commands here: only ${allowed(uids)}`)
  }

  listen()
  return {
    path,
    listener: claim.listener,
    lock: claim.lock,
    clients: () => connections.size,
    close() {
      watch?.close()
      clearTimeout(pause)
      claim.release()
      for (const connection of connections) connection.refuse('monoceros is stopping')
    },
  }
}

function quietest(connections: ReadonlySet<Connection>): Connection | undefined {
  let found: Connection | undefined
  for (const one of connections) {
    const quieter = found === undefined || (one.busy === found.busy ? one.heard < found.heard : !one.busy)
    if (quieter) found = one
  }
  return found
}

function peerUid(kernel: Kernel, socket: Fd): number | null {
  try {
    return kernel.peer(socket).uid
  } catch {
    return null
  }
}

const allowed = (uids: readonly number[]): string =>
  [...new Set(uids)].map((uid) => (uid === 0 ? 'root' : `uid ${uid}`)).join(' and ')
