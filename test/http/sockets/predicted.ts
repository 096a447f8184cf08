/** What the client must receive, byte for byte, by what the pure parser makes of its bytes. */
import { STATUS_CODES } from 'node:http'
import { HTTP_ERRORS, type HttpError, type HttpErrorCode } from '../../../lib/http/errors.ts'
import { type ReplayedRequest, replay } from '../replay.ts'
import type { Manner, Profile } from './server.ts'

export type Predicted = {
  /** What comes without the client's end. */
  readonly answers: string
  /** What then happens: the server closes; it waits for a request; or for the rest of one or for the end of a tunnel. */
  readonly next: 'closes' | 'is idle' | 'waits'
  /** What comes when it waits and the client half-closes. */
  readonly last: string
}

export function predicted(bytes: Buffer, profile: Profile): Predicted {
  const { requests, error, proxy, tunnel } = replay(bytes, profile.options ?? {})
  const from = proxy?.source?.address ?? '127.0.0.1'
  let answers = ''
  let told = 0
  for (const request of requests) {
    if (tunnel !== null && request === requests.at(-1)) {
      return { answers, next: 'waits', last: `tunnel ${said(request, tunnel, [], from)}` }
    }
    if (request.expect === 'other') {
      answers += refusal(request)
      continue
    }
    if (request.expect === 'continue') answers += CONTINUE
    const manner = profile.manners![told++ % profile.manners!.length]!
    if (manner === 'early') answers += answer(request, said(request, null, null, from))
    else if (request.complete) answers += inManner(manner, request, said(request, request.body, request.trailers, from))
    // Without a length its end is that of the connection.
    if (manner === 'in parts' && request.complete && request.minorVersion === 0)
      return { answers, next: 'closes', last: '' }
  }
  const last = requests.at(-1)
  if (error === null) return { answers, next: last?.keepAlive === false ? 'closes' : 'is idle', last: '' }
  // The error of a request that was answered before its body came is no second answer.
  const begun = last !== undefined && !last.complete
  const isAnswered =
    begun && (last.expect === 'other' || profile.manners![(told - 1) % profile.manners!.length] === 'early')
  const end = isAnswered ? '' : failure(HTTP_ERRORS[error as HttpErrorCode], profile.ownError)
  // An answer that closes does not wait for the rest.
  return error === 'REQUEST_INCOMPLETE' && !(isAnswered && !last.keepAlive)
    ? { answers, next: 'waits', last: end }
    : { answers: answers + end, next: 'closes', last: '' }
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

function said(request: ReplayedRequest, body: string | null, trailers: readonly string[] | null, from: string): string {
  const { method, target: url, rawHeaders, authority } = request
  const host =
    authority ?? rawHeaders.find((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'host' && index % 2 === 1)
  return `${JSON.stringify({ method, url, rawHeaders, host: host ?? null, body, trailers, from })}\n`
}

function inManner(manner: Manner, request: ReplayedRequest, text: string): string {
  if (manner !== 'in parts') return answer(request, text)
  const parts = [text.slice(0, 5), text.slice(5, 9), text.slice(9)]
  const closes = request.minorVersion === 0
  const head = `HTTP/1.1 200 OK\r\n${connection(!closes && request.keepAlive)}`
  if (request.method === 'HEAD') return `${head}\r\n`
  if (closes) return `${head}\r\n${text}`
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
}

function answer({ method, keepAlive }: ReplayedRequest, text: string): string {
  const body = method === 'HEAD' ? '' : text
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${connection(keepAlive)}\r\n${body}`
}

const connection = (keepAlive: boolean): string =>
  keepAlive ? 'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n' : 'Connection: close\r\n'

function refusal({ method, keepAlive }: ReplayedRequest): string {
  const { text } = HTTP_ERRORS.EXPECTATION_FAILED
  const head = `HTTP/1.1 417 Expectation Failed\r\nContent-Type: text/plain\r\n${connection(keepAlive)}`
  return `${head}Content-Length: ${text.length}\r\n\r\n${method === 'HEAD' ? '' : text}`
}

/** The statuses that a 'clientError' listener answers in place of the engine. */
const APPS: readonly number[] = [400, 408, 413, 431]

function failure({ status, text }: HttpError, own: string | undefined): string {
  if (own !== undefined && APPS.includes(status)) return own
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\n`
  return `${head}Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
}

/** Without the time of day. */
export const withoutDate = (text: string): string => text.replace(/^Date: [^\r\n]*\r\n/gm, '')

/** Whether the connection goes on hangs on when the server heard of the client's end. */
export const withoutConnection = (text: string): string =>
  text.replace(/^Connection: [^\r\n]*\r\n(Keep-Alive: [^\r\n]*\r\n)?/gm, '')
