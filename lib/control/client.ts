/** Asking a control socket. */
import { connect } from 'node:net'
import { lineReader } from './lines.ts'
import { pathProblem } from './paths.ts'
import { type Answer, encodeLine, parseAnswer, type Success } from './protocol.ts'

export type Question = { readonly cmd: string; readonly [key: string]: unknown }

export type AskOptions = {
  /** Milliseconds of silence after which the server counts as stuck; null waits for ever. Default 10,000. */
  readonly silence?: number | null
  /** Lines that come before the answer. */
  readonly line?: (line: Success) => void
  /** Hangs up; the promise rejects. */
  readonly cancelled?: AbortSignal
}

/** No server could be asked, or it hung up; `message` is one line for the user. */
export class NoAnswer extends Error {
  readonly code: string
  constructor(message: string, code: string) {
    super(message)
    this.name = 'NoAnswer'
    this.code = code
  }
}

/** The longest line that a server's answer may be, in bytes. */
const ANSWER_LIMIT = 64 * 1024 * 1024
const SILENCE = 10_000

/** Sends one request and gives its answer; `more: true` marks lines that are not the answer yet. Rejects with `NoAnswer`. */
export function ask(path: string, question: Question, options: AskOptions = {}): Promise<Answer> {
  const problem = pathProblem(path)
  if (problem !== null) return Promise.reject(new NoAnswer(problem, 'ENAMETOOLONG'))
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const reader = lineReader(ANSWER_LIMIT)
    const silence = options.silence === undefined ? SILENCE : options.silence
    const fail = (message: string, code: string): void => {
      reject(new NoAnswer(message, code))
      socket.destroy()
    }
    const take = (chunk: Buffer): void => {
      for (const line of reader.push(chunk)) {
        if (line.kind === 'tooLong') throw new Error(`the answer has more than ${ANSWER_LIMIT} bytes`)
        const answer = parseAnswer(line.bytes)
        if (answer.ok && answer.more === true) options.line?.(answer)
        else {
          resolve(answer)
          socket.destroy()
          return
        }
      }
    }
    socket.on('connect', () => socket.write(encodeLine(question)))
    socket.on('data', (chunk) => {
      try {
        take(chunk)
      } catch (error) {
        fail(`${path}: ${(error as Error).message}`, 'EPROTO')
      }
    })
    socket.on('end', () => fail(`${path} hung up without an answer`, 'ECONNRESET'))
    socket.on('error', (error: NodeJS.ErrnoException) => fail(inWords(path, error), error.code ?? 'EIO'))
    if (silence !== null) {
      socket.setTimeout(silence, () => fail(`${path} has not answered for ${silence / 1000} s`, 'ETIMEDOUT'))
    }
    const cancel = (): void => fail('cancelled', 'ECANCELED')
    options.cancelled?.addEventListener('abort', cancel)
    socket.on('close', () => options.cancelled?.removeEventListener('abort', cancel))
  })
}

const inWords = (path: string, error: NodeJS.ErrnoException): string => {
  switch (error.code) {
    case 'ENOENT':
      return `there is no control socket at ${path}: is monoceros running?`
    case 'ECONNREFUSED':
      return `nobody listens at ${path}: monoceros is not running any more`
    case 'EACCES':
      return `${path} may be used only by its owner and root`
    default:
      return `${path}: ${error.message}`
  }
}
