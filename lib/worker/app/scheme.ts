/** The scheme that a client used, for the URL that a `fetch` app sees: the socket's, or what a trusted proxy says. */
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { WorkerSettings } from '../../config/settings.ts'
import { schemeReader, type Trust, trust } from '../../http/proxy/forwarded.ts'
import { type SchemeOf, schemeOfSocket } from './fetch.ts'

type Trusting = Pick<WorkerSettings, 'forwardedAllowIps' | 'secureSchemeHeaders'>

/** No header is changed. Fields that contradict each other say nothing here. */
export const schemeOf = ({ forwardedAllowIps, secureSchemeHeaders }: Trusting): SchemeOf => {
  // Made when they are first needed: only for an app that is served by its `fetch`.
  let isTrusted: Trust | null = null
  const read = schemeReader(secureSchemeHeaders)
  return (request: IncomingMessage) => {
    isTrusted ??= trust(forwardedAllowIps)
    if (!isTrusted(peerOf(request.socket))) return schemeOfSocket(request)
    const scheme = read(request.rawHeaders)
    return scheme === 'http' || scheme === 'https' ? scheme : schemeOfSocket(request)
  }
}

const remoteAddress = Object.getOwnPropertyDescriptor(Socket.prototype, 'remoteAddress')?.get

/**
 * Who really connected, whatever the PROXY protocol has made of the socket's `remoteAddress`: an address, null on a UNIX
 * socket, which has none, and '' on a connection that is gone.
 */
export const peerOf = (socket: Socket): string | null => {
  const address: unknown = remoteAddress === undefined ? socket.remoteAddress : Reflect.apply(remoteAddress, socket, [])
  if (typeof address === 'string') return address
  return isPipe(socket) ? null : ''
}

type Inside = { readonly _parent?: object; readonly constructor: { readonly name: string } }

/** TLS wraps the handle of the connection. */
const isPipe = (socket: Socket): boolean => {
  const { _handle: handle } = socket as unknown as { readonly _handle: Inside | null }
  return ((handle?._parent ?? handle) as Inside | null)?.constructor.name === 'Pipe'
}
