/**
 * Serves an object with `fetch(Request) → Response` (Hono, and whatever follows the WinterTC minimum) through Node's
 * `(req, res)`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { HTTP_ERRORS } from '../../http/errors.ts'
import { sendResponse } from './fetch-response.ts'

export type Fetch = (request: Request, context: { incoming: IncomingMessage; outgoing: ServerResponse }) => unknown

/** The scheme that the client used, where something in front of us knows better than the socket. */
export type SchemeOf = (request: IncomingMessage) => 'http' | 'https'

/**
 * The handler for a server. The second argument of `fetch` holds Node's own objects, as with Hono's Node server. The
 * request's signal is aborted when the client goes before the answer is complete.
 */
export const fetchHandler =
  (fetch: Fetch, schemeOf: SchemeOf = schemeOfSocket) =>
  (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const gone = new AbortController()
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort(new DOMException('The client closed the connection', 'AbortError'))
    })
    answer(fetch, schemeOf, incoming, outgoing, gone).catch((error: unknown) => {
      console.error(error)
      if (outgoing.headersSent) outgoing.destroy()
      else refuse(outgoing, HTTP_ERRORS.INTERNAL_ERROR.status, HTTP_ERRORS.INTERNAL_ERROR.text)
    })
  }

export const schemeOfSocket: SchemeOf = ({ socket }) =>
  (socket as { encrypted?: boolean }).encrypted === true ? 'https' : 'http'

const answer = async (
  fetch: Fetch,
  schemeOf: SchemeOf,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  gone: AbortController,
): Promise<void> => {
  const request = toRequest(incoming, schemeOf(incoming), gone.signal)
  if (typeof request === 'number') return refuse(outgoing, request, request === 501 ? 'Not Implemented' : 'Bad Request')
  const response = await fetch(request, { incoming, outgoing })
  // The app may have answered through `outgoing` itself.
  if (outgoing.headersSent) return
  if (!isResponse(response)) throw new TypeError(`fetch gave ${describe(response)} where a Response was expected`)
  await sendResponse(response, outgoing, incoming.method === 'HEAD')
}

/** A number is the status of the refusal: the Fetch standard has no CONNECT, TRACE and TRACK, and no URL without a host. */
const toRequest = (incoming: IncomingMessage, scheme: string, signal: AbortSignal): Request | number => {
  const method = incoming.method ?? 'GET'
  if (method === 'CONNECT' || method === 'TRACE' || method === 'TRACK') return 501
  // Text beside text: a parser between them would read `//path` as a host.
  const target = incoming.url ?? '/'
  const url = target.startsWith('/') || target === '*' ? `${scheme}://${authority(incoming)}${slashed(target)}` : target
  if (!URL.canParse(url)) return 400
  const headers = new Headers()
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at]!, incoming.rawHeaders[at + 1]!)
  const body = hasBody(incoming) ? (Readable.toWeb(incoming) as ReadableStream) : null
  return new Request(url, {
    method,
    headers,
    signal,
    ...(body === null ? {} : { body, duplex: 'half' }),
  } as RequestInit)
}

const slashed = (target: string): string => (target === '*' ? '/*' : target)

/** HTTP/1.0 needs no Host; a UNIX socket has no address that could stand in for it. */
const authority = ({ headers, socket }: IncomingMessage): string => {
  if (headers.host) return headers.host
  const { localAddress, localPort } = socket
  if (localAddress === undefined) return 'localhost'
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`
}

/** RFC 9112 §6: a request has a body if and only if one of these fields says so; Request refuses one for GET and HEAD. */
const hasBody = ({ method, headers }: IncomingMessage): boolean =>
  method !== 'GET' &&
  method !== 'HEAD' &&
  (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0')

/** By shape: an app may bring a Response class of its own. */
const isResponse = (value: unknown): value is Response =>
  typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'body' in value

const describe = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value

const refuse = (outgoing: ServerResponse, status: number, text: string): void => {
  outgoing.writeHead(status, { 'content-type': 'text/plain', 'content-length': text.length, connection: 'close' })
  outgoing.end(text)
}
