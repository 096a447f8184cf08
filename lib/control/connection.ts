/**
 * One client of a control server: reads lines, has at most one request in work, and reads on only when its answer has
 * left. A client that sends without reading therefore costs one line and one answer, and one that says nothing costs
 * nothing.
 */
import { Socket } from 'node:net'
import type { Fd } from '../units.ts'
import { LINE_LIMIT, type Line, lineReader } from './lines.ts'
import { type Answer, type Asker, type Commands, encodeLine, failure, parseRequest, type Success } from './protocol.ts'

export type ConnectionOptions = {
  readonly commands: Commands
  readonly schedule?: (job: () => void) => void
  readonly failed?: (error: unknown) => void
}

/** A client that has sent this much of one line is no operator any more. */
const MOST_BYTES_OF_A_LINE = 16 * 1024 * 1024

/** How often a client that waits is asked whether it is still there, in milliseconds. */
const GONE_EVERY = 500
const NOTHING = Buffer.alloc(0)

export class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #reader = lineReader()
  readonly #gone = new AbortController()
  readonly #lines: Line[] = []
  #ended = false
  #busy = false
  #closing = false
  #sinceLine = 0
  #heard = performance.now()
  #probe: NodeJS.Timeout | undefined

  constructor(socket: Fd, options: ConnectionOptions, closed: () => void) {
    this.#options = options
    this.#socket = new Socket({ fd: socket, readable: true, writable: true, allowHalfOpen: true })
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('end', () => this.#takeEnd())
    this.#socket.on('error', () => this.close())
    this.#socket.on('close', () => {
      clearInterval(this.#probe)
      this.#gone.abort()
      closed()
    })
  }

  /** Has a request in work. */
  get busy(): boolean {
    return this.#busy
  }

  /** When it last said something. */
  get heard(): number {
    return this.#heard
  }

  /** Says why and hangs up. */
  refuse(error: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#lines.length = 0
    this.#gone.abort()
    this.#socket.end(encodeLine(failure(error)))
    // What it still sends is taken and dropped: closing on unread bytes would take the answer away from it (unix(7)).
    this.#socket.resume()
    this.#socket.once('finish', () => this.#socket.destroySoon())
  }

  close(): void {
    this.#closing = true
    this.#gone.abort()
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.#closing) return
    this.#heard = performance.now()
    const lines = this.#reader.push(chunk)
    this.#sinceLine = lines.length > 0 ? 0 : this.#sinceLine + chunk.length
    this.#lines.push(...lines)
    if (this.#sinceLine > MOST_BYTES_OF_A_LINE) this.refuse(TOO_LONG)
    else this.#next()
  }

  #takeEnd(): void {
    this.#ended = true
    this.#lines.push(...this.#reader.end())
    this.#next()
    this.#probe = setInterval(() => this.#askWhetherGone(), GONE_EVERY)
  }

  /**
   * A client that has said all it had to say may still read, or be gone: both look the same to a reader. A write of
   * nothing tells: it fails with EPIPE where nobody can read any more (unix(7)).
   */
  #askWhetherGone(): void {
    if (this.#busy && this.#socket.writableLength === 0) this.#socket.write(NOTHING)
  }

  /**
   * Takes up the next line, if there is one and nothing is in work. Reading stops only while a further line waits:
   * the end of a client that waits for its answer is to be noticed.
   */
  #next(): void {
    if (this.#closing) return
    const line = this.#busy ? undefined : this.#lines.shift()
    if (this.#lines.length > 0) this.#socket.pause()
    else this.#socket.resume()
    if (line === undefined) {
      if (this.#ended && !this.#busy) this.#socket.end()
      return
    }
    this.#busy = true
    const whole = !this.#ended || this.#lines.length > 0
    const work = (): Promise<void> => this.#work(line, whole)
    if (this.#options.schedule) this.#options.schedule(work)
    else setImmediate(work)
  }

  async #work(line: Line, whole: boolean): Promise<void> {
    if (this.#closing) return
    await this.#write(await this.#answer(line, whole))
    this.#busy = false
    this.#next()
  }

  async #answer(line: Line, whole: boolean): Promise<Answer> {
    if (line.kind === 'tooLong') return failure(TOO_LONG)
    const request = parseRequest(line.bytes, this.#options.commands, whole)
    if (request.kind === 'refused') return failure(request.error)
    try {
      return await request.command.run(request.values, this.#asker())
    } catch (error) {
      this.#options.failed?.(error)
      return failure(`"${request.cmd}" failed inside monoceros: ${(error as Error).message}`)
    }
  }

  #asker(): Asker {
    return { gone: this.#gone.signal, send: (line: Success) => this.#write(line) }
  }

  /** Resolves when the client has taken it, or is gone. */
  #write(answer: Answer): Promise<void> {
    if (this.#closing) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#gone.signal.removeEventListener('abort', done)
        resolve()
      }
      this.#gone.signal.addEventListener('abort', done)
      this.#socket.write(encodeLine(answer), done)
    })
  }
}

const TOO_LONG = `a request is one line of at most ${LINE_LIMIT} bytes`
