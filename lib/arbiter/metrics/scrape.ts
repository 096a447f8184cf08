/**
 * The little server of `metricsBind`: `/metrics`, `/live` and `/ready`. No HTTP engine: it reads one head, answers and
 * closes. A client that is slow, silent or hostile costs one of a few connections for a few seconds.
 */
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { type BindAddress, formatAddress } from '../../config/address.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { SetupError } from '../../system/setup-error.ts'
import { type Fd, fd } from '../../units.ts'

export type Reply = { readonly status: 200 | 503; readonly type: string; readonly body: string }

/** What is served: by path, without query. */
export type Routes = Readonly<Record<string, () => Reply>>

export type Scrape = {
  /** Where it listens: with the port that the kernel chose where 0 was asked for. */
  readonly address: string
  /** To be kept over an execve, for `inherited`. */
  readonly listener: Fd
  /** Accepts nobody more, and resolves when those who were accepted are answered or `within` milliseconds have passed. */
  pause(within: number): Promise<void>
  /** Accepts again. */
  resume(): void
  close(): void
}

const MOST_CONNECTIONS = 64
const LONGEST_HEAD = 8_192
/** Milliseconds from accepting to the end of the answer. */
const PATIENCE = 5_000
const BACKLOG = 128

/** Listens, or goes on with a socket of the image before this one. Throws a `SetupError`. */
export function openScrape(address: BindAddress, kernel: Kernel, routes: Routes, inherited: Fd | null = null): Scrape {
  const listener = inherited ?? listen(address, kernel)
  const bound = kernel.listenerAddress(listener)
  const open = new Set<Socket>()
  const accept = (): Server => {
    const server = createServer((socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      serve(socket, routes)
    })
    server.maxConnections = MOST_CONNECTIONS
    server.on('error', () => undefined)
    // A descriptor of its own: closing it leaves the listener open.
    server.listen({ fd: kernel.dup(listener), backlog: BACKLOG })
    // Whether the arbiter has something to do decides how long it runs, not who might ask.
    return server.unref()
  }
  let server = accept()
  return {
    address: formatAddress(bound),
    listener,
    pause(within) {
      return new Promise((resolve) => {
        const late = setTimeout(resolve, within)
        server.close(() => {
          clearTimeout(late)
          resolve()
        })
      })
    },
    resume() {
      server = accept()
    },
    close() {
      server.close()
      kernel.close(listener)
      for (const socket of open) socket.destroy()
      if (address.kind === 'unix') rmSync(address.path, { force: true })
    },
  }
}

function listen(address: BindAddress, kernel: Kernel) {
  try {
    return address.kind === 'fd' ? fd(address.fd) : kernel.listen(address, { backlog: BACKLOG })
  } catch (error) {
    throw new SetupError(`metricsBind: cannot listen on ${formatAddress(address)}: ${(error as Error).message}`)
  }
}

function serve(socket: Socket, routes: Routes): void {
  let head = ''
  const over = setTimeout(() => socket.destroy(), PATIENCE)
  socket.once('close', () => clearTimeout(over))
  socket.on('error', () => undefined)
  socket.setEncoding('latin1')
  socket.on('data', function read(data: string) {
    head += data
    const complete = /\r?\n\r?\n/.test(head)
    if (!complete && head.length < LONGEST_HEAD) return
    socket.off('data', read)
    // What else comes is thrown away, so that closing does not reset what was sent.
    socket.resume()
    socket.end(complete ? answerTo(head, routes) : plain('431 Request Header Fields Too Large'))
  })
}

const STATUS = { 200: '200 OK', 503: '503 Service Unavailable' } as const

function answerTo(head: string, routes: Routes): string {
  const [, method, path = ''] = /^([A-Z]+) (\/[^\s?]*)(?:\?\S*)? HTTP\/1\.[01]\r?\n/.exec(head) ?? []
  if (method === undefined) return plain('400 Bad Request')
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined) return plain('404 Not Found')
  if (method !== 'GET' && method !== 'HEAD') return plain('405 Method Not Allowed', ['Allow: GET, HEAD'])
  const { status, type, body } = route()
  return message(STATUS[status], type, body, method === 'HEAD')
}

const plain = (status: string, fields: readonly string[] = []): string =>
  message(status, 'text/plain; charset=utf-8', `${status.slice(4)}\n`, false, fields)

function message(status: string, type: string, body: string, isHead: boolean, fields: readonly string[] = []): string {
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    ...fields,
  ]
  return `${head.join('\r\n')}\r\n\r\n${isHead ? '' : body}`
}
