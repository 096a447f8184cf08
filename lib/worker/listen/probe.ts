/**
 * `readyPath`: asks this very worker, over its own accept path. The listeners are shared, so a connection to one of them
 * may reach any worker; instead a private one, of the server's kind, takes one connection and hands it to the server as
 * the server's own would. From there on all is as for a client.
 */
import type { Server } from 'node:net'
import net from 'node:net'
import tls from 'node:tls'
import { type Handle, privateHandle } from './handle.ts'
import type { Family } from './listen.ts'

/** Between two questions. */
const AGAIN = 250
/** How long an answer may take, in milliseconds. */
const PATIENCE = 5_000
/** A status line is in the first bytes. */
const LONGEST_LINE = 1_024

/** Where the question goes. */
export type Questioned = { readonly server: Server; readonly family: Family; readonly front: Front }

/** What the engine puts in front of a plain `http.Server`. */
export type Front = { readonly tls: boolean; readonly proxy: 'off' | 'auto' | 'v1' | 'v2' }

export type Outcome = { readonly passed: boolean; readonly text: string }

/** Asks until an answer has a status below 400. `told` hears that, and whatever else comes whenever it changes. */
export class Probe {
  readonly #find: () => Questioned | null
  readonly #told: (outcome: Outcome) => void
  #timer: NodeJS.Timeout | undefined
  #abort: AbortController | null = null

  constructor(find: () => Questioned | null, told: (outcome: Outcome) => void) {
    this.#find = find
    this.#told = told
  }

  /** Begins to ask for this path; a probe that runs is given up. */
  start(path: string): void {
    this.stop()
    const abort = new AbortController()
    this.#abort = abort
    void this.#run(path, abort.signal)
  }

  stop(): void {
    this.#abort?.abort()
    clearTimeout(this.#timer)
  }

  async #run(path: string, signal: AbortSignal): Promise<void> {
    let last = ''
    while (!signal.aborted) {
      const outcome = await this.#once(path, signal)
      if (signal.aborted) return
      if (outcome.text !== last) this.#told(outcome)
      if (outcome.passed) return
      last = outcome.text
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, AGAIN).unref()
      })
    }
  }

  async #once(path: string, signal: AbortSignal): Promise<Outcome> {
    const asked = this.#find()
    const failed = (why: string): Outcome => ({ passed: false, text: `GET ${path} ${why}` })
    if (asked === null) return failed('has nobody to ask: the app does not listen')
    try {
      const status = await ask(asked, path, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]))
      return { passed: status < 400, text: `GET ${path} was answered ${status}` }
    } catch (error) {
      const late = (error as Error).name === 'TimeoutError'
      return failed(late ? `was not answered within ${PATIENCE / 1000} s` : `failed: ${(error as Error).message}`)
    }
  }
}

/** One request on a connection of its own: the status of its answer. */
async function ask(asked: Questioned, path: string, signal: AbortSignal): Promise<number> {
  const { server, family } = asked
  const socket = connectTo(server)
  const cut = (): void => void socket.destroy(signal.reason)
  signal.addEventListener('abort', cut)
  try {
    if (family === 'http2' && !allowsHttp1(server)) return await askHttp2(server, socket, path)
    return await askHttp1(asked, socket, path)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', cut)
    socket.destroy()
  }
}

function connectTo(server: Server): net.Socket {
  const { _handle: own } = server as unknown as { readonly _handle: Handle | null }
  if (own === null) throw new Error('the server was closed')
  const { handle, target } = privateHandle(own)
  handle.onconnection = (status, client) => {
    handle.close()
    own.onconnection?.(status, client)
  }
  const error = handle.listen(1)
  if (error !== 0) throw new Error(`cannot listen (libuv error ${error})`)
  return net.connect(target).once('close', () => handle.close())
}

/** What a proxy sends that asks on its own account: UNKNOWN in version 1, LOCAL in version 2 of the PROXY protocol. */
const ON_OUR_OWN = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
}

/** By hand: `http.request` is what tracers and mocks patch. */
function askHttp1({ server, family, front }: Questioned, socket: net.Socket, path: string): Promise<number> {
  if (family === 'http' && front.proxy in ON_OUR_OWN) socket.write(ON_OUR_OWN[front.proxy as keyof typeof ON_OUR_OWN])
  const secure = server instanceof tls.Server || (family === 'http' && front.tls)
  const stream = secure ? tls.connect({ socket, rejectUnauthorized: false }) : socket
  stream.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: monoceros\r\nConnection: close\r\n\r\n`)
  return new Promise((resolve, reject) => {
    let received = ''
    stream.setEncoding('latin1')
    stream.on('data', (text: string) => {
      received += text
      const status = /^HTTP\/1\.[01] (\d{3})[ \r\n]/.exec(received)?.[1]
      if (status !== undefined) resolve(Number(status))
      else if (received.length > LONGEST_LINE) reject(new Error('the answer is no HTTP'))
    })
    stream.on('error', reject)
    stream.on('close', () => reject(new Error('the connection was closed without an answer')))
  })
}

const allowsHttp1 = (server: Server): boolean => (server as { allowHTTP1?: boolean }).allowHTTP1 === true

async function askHttp2(server: Server, socket: net.Socket, path: string): Promise<number> {
  // Loaded by the app already.
  const http2 = await import('node:http2')
  const secure = server instanceof tls.Server
  const stream = secure ? tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] }) : socket
  const session = http2.connect(`${secure ? 'https' : 'http'}://localhost`, { createConnection: () => stream })
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject)
      session.on('close', () => reject(new Error('the connection was closed without an answer')))
      const request = session.request({ ':path': path, 'user-agent': 'monoceros' })
      request.on('response', ({ ':status': status }) => resolve(Number(status)))
      request.on('error', reject)
      request.resume()
      request.end()
    })
  } finally {
    session.destroy()
  }
}
