/** HTTP clients for tests: raw bytes over a socket, and whole requests through node:http. */
import { once } from 'node:events'
import type { IncomingHttpHeaders, RequestOptions } from 'node:http'
import { request } from 'node:http'
import type { Socket, TcpNetConnectOpts } from 'node:net'
import { connect } from 'node:net'
import { GUARD } from './process.ts'

/** Where a server listens. */
export type Address = { readonly port: number; readonly host?: string } | { readonly path: string }

const open = new Set<Conversation>()

afterEach(() => {
  for (const conversation of open) conversation.destroy()
})

/** Opens a connection to speak over it byte by byte. */
export async function converse(address: Address, options: Partial<TcpNetConnectOpts> = {}): Promise<Conversation> {
  const where = 'path' in address ? { path: address.path } : { host: '127.0.0.1', ...address }
  const socket = connect({ ...options, ...where } as TcpNetConnectOpts)
  await once(socket, 'connect')
  return new Conversation(socket)
}

/** Sends bytes, and reads until the server closes. */
export async function exchange(address: Address, data: string | Uint8Array): Promise<string> {
  const conversation = await converse(address)
  conversation.send(data)
  return conversation.closed()
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

/** One request on a connection of its own (unless an agent is given), the body read whole. */
export async function ask(
  address: Address,
  options: RequestOptions & { readonly body?: string | Uint8Array } = {},
): Promise<Answer> {
  const { body: sent, ...rest } = options
  // `path` of a UNIX address is the socket's; that of the request stands in the options.
  const where = 'path' in address ? { socketPath: address.path } : { host: '127.0.0.1', ...address }
  const client = request({ agent: false, timeout: GUARD, ...where, ...rest })
  client.on('timeout', () => client.destroy(new Error(`no answer within ${GUARD} ms`)))
  client.end(sent)
  const [response] = await once(client, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}

/** One connection. Bytes are shown as latin1, so that one character is one byte. */
export class Conversation {
  readonly socket: Socket
  /** All that came so far. */
  received = ''
  readonly #waiting = new Set<() => void>()
  #closed = false
  #error: Error | undefined

  constructor(socket: Socket) {
    this.socket = socket
    open.add(this)
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received += text
      this.#wake()
    })
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => {
      this.#closed = true
      open.delete(this)
      this.#wake()
    })
  }

  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Waits for this text in what has come since `after` (an index into `received`), and returns all up to its end. */
  async until(text: string, after = 0): Promise<string> {
    await this.#wait(() => this.received.includes(text, after), `"${text}"`)
    return this.received.slice(after, this.received.indexOf(text, after) + text.length)
  }

  /** Waits until the server has closed; all that came. A reset fails. */
  async closed(): Promise<string> {
    await this.#wait(() => this.#closed, 'end')
    if (this.#error) throw this.#error
    return this.received
  }

  destroy(): void {
    this.socket.destroy()
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look()
  }

  #wait(holds: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const done = holds()
        if (!done && !this.#closed) return
        clearTimeout(guard)
        this.#waiting.delete(look)
        if (done) resolve()
        else reject(this.#error ?? new Error(`closed before ${what} came; received:\n${this.received}`))
      }
      const guard = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`no ${what} within ${GUARD} ms; received:\n${this.received}`))
      }, GUARD)
      this.#waiting.add(look)
      look()
    })
  }
}
