/** One client that sends bytes in pieces, and what it is answered. */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'

/** Long enough for a busy machine: what is not there by then does not come. */
const HANG = 20_000

export class Client {
  readonly socket: net.Socket
  /** In latin1. */
  received = ''
  ended = false
  #error: Error | null = null
  #look = () => {}

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received += text
      this.#look()
    })
    socket.on('end', () => {
      this.ended = true
      this.#look()
    })
    socket.on('error', (error) => {
      this.#error = error
      this.#look()
    })
  }

  /** Each piece by itself, as far as that lies with this side. */
  async send(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      if (this.ended || this.#error) return
      await new Promise((resolve) => this.socket.write(piece, resolve))
      await new Promise(setImmediate)
    }
  }

  halfClose(): void {
    this.socket.end()
  }

  /** Until so much is there, or the server has ended the connection, or it was reset. */
  async until(enough: (received: string) => boolean): Promise<void> {
    let late = false
    const guard = setTimeout(() => {
      late = true
      this.#look()
    }, HANG)
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (late || this.ended || this.#error || enough(this.received)) resolve()
      }
      this.#look()
    })
    clearTimeout(guard)
    if (this.#error) throw Object.assign(new Error(`${this.#error.message} behind ${JSON.stringify(this.received)}`))
    if (late) throw new Error(`nothing more comes behind ${JSON.stringify(this.received)}`)
  }

  untilEnd(): Promise<void> {
    return this.until(() => false)
  }

  destroy(): void {
    this.socket.destroy()
  }
}

export async function connect(port: number, secure = false): Promise<Client> {
  const where = { port, host: '127.0.0.1', allowHalfOpen: true }
  const socket = secure ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where)
  await once(socket, secure ? 'secureConnect' : 'connect')
  return new Client(socket)
}

/** Without cuts one piece. */
export function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
}
