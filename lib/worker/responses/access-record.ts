/** What the access log says of a response that the HTTP engine has sent. */
import type { ServerResponse } from 'node:http'
import type { ResponseRecord } from '../../http/engine.ts'
import type { AccessRecord } from '../../log/access.ts'

/** Said of a request whose client went away before there was an answer; nginx's number for it. */
const CLIENT_CLOSED_REQUEST = 499

export function accessRecord({ request, response, target, bytes, duration, aborted }: ResponseRecord): AccessRecord {
  const head = (response as ServerResponse & { readonly _header?: string | null })._header ?? ''
  const time = Date.now()
  return {
    time,
    zone: -new Date(time).getTimezoneOffset(),
    pid: process.pid,
    remote: request.socket.remoteAddress ?? '',
    user: basicUser(request.headers.authorization),
    method: request.method ?? '',
    target,
    protocol: `HTTP/${request.httpVersion}`,
    status: aborted && head === '' ? CLIENT_CLOSED_REQUEST : response.statusCode,
    // A head is ASCII or latin1: one byte a character.
    bytes: Math.max(0, bytes - head.length),
    duration,
    aborted,
    requestHeader(name) {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    responseHeader: (name) => fieldOf(head, name),
    variable: (name) => process.env[name],
  }
}

/** RFC 7617 §2: `Basic` and base64 of user:password. '' where it is anything else. */
export function basicUser(authorization: string | undefined): string {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return ''
  const pair = Buffer.from(encoded, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon < 0 ? '' : pair.slice(0, colon)
}

/** From the head as it was sent: `writeHead` with an object leaves nothing for `getHeader`. */
export function fieldOf(head: string, name: string): string | undefined {
  const fields = head.split('\r\n').slice(1)
  const values = fields.filter((field) => field.slice(0, field.indexOf(':')).toLowerCase() === name)
  return values.length === 0 ? undefined : values.map((field) => field.slice(field.indexOf(':') + 1).trim()).join(', ')
}
