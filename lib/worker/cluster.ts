/**
 * `cluster` in a worker. The app is not a cluster of its own: it stays "primary", which is what it is under plain node,
 * and must not fork. With `clusterWorker` it sees the flags of a cluster worker instead, so that code of the form
 * `if (cluster.isPrimary) fork(); else serve()` serves.
 */
import cluster, { type Worker } from 'node:cluster'
import dgram from 'node:dgram'
import { type Handle, NO_HANDLE } from './listen/handle.ts'

type Answer = (error: number, handle: Handle) => void
type Insides = { _getServer?: (server: object, query: object, answer: Answer) => void }

let refuse: (() => never) | null = null

/**
 * `forked` is called in place of `cluster.fork()` and ends the boot. Called again by whoever hears of it from then on, also
 * through references that were taken before.
 */
export const refuseFork = (forked: () => never): void => {
  refuse = forked
  cluster.fork = refused
}

const refused = (): never => refuse!()

type Life = { readonly worker: Worker; leave(how: string): void }

let life: Life | null = null

/**
 * `id` counts from 1, as in cluster; 0 in a mold, which is no worker yet. `leave`: the app asked for its own end
 * (`disconnect`, `kill`). Called again, the worker that the app may have kept becomes another one.
 */
export const becomeClusterWorker = (id: number, leave: Life['leave']): void => {
  life ??= { worker: pretend(), leave }
  life.worker.id = id
  life.leave = leave
}

function pretend(): Worker {
  const WorkerClass = (cluster as unknown as { Worker: unknown }).Worker as new (options: object) => Worker
  const worker = new WorkerClass({ process, state: 'listening' })
  const ask = (how: string) => () => {
    worker.exitedAfterDisconnect = true
    life!.leave(how)
    return worker
  }
  Object.assign(worker, {
    disconnect: ask('cluster.worker.disconnect()'),
    kill: ask('cluster.worker.kill()'),
    destroy: ask('cluster.worker.destroy()'),
    isConnected: () => true,
    isDead: () => false,
    send: (...args: unknown[]) => Reflect.apply(process.send as (...all: unknown[]) => boolean, process, args),
  })
  Object.assign(cluster, { isPrimary: false, isMaster: false, isWorker: true, worker })
  // What `net` asks of a cluster worker. `listen` goes on to where it is intercepted.
  ;(cluster as unknown as Insides)._getServer = (_server, _query, answer) => answer(0, NO_HANDLE)
  keepDatagramsPrivate()
  return worker
}

/** A UDP socket would ask the cluster's primary for its handle, unless it is bound with `exclusive`. */
const keepDatagramsPrivate = (): void => {
  const { bind } = dgram.Socket.prototype
  dgram.Socket.prototype.bind = function (this: dgram.Socket, ...args: unknown[]) {
    const [first, second] = args
    const done = args.findLast((argument) => typeof argument === 'function')
    const address = typeof second === 'string' ? { address: second } : {}
    const options =
      typeof first === 'object' && first !== null
        ? Object.assign(first, { exclusive: true })
        : { ...(typeof first === 'function' ? {} : { port: first }), ...address, exclusive: true }
    return Reflect.apply(bind, this, done === undefined ? [options] : [options, done])
  } as typeof bind
}
