/** The scheme that a client used, for the URL that a `fetch` app sees: the socket's, or what a trusted proxy says. */
import type { IncomingMessage } from 'node:http'
import type { WorkerSettings } from '../config/settings.ts'
import { schemeReader, trust } from '../http/forwarded.ts'
import { type SchemeOf, schemeOfSocket } from './fetch.ts'

type Trusting = Pick<WorkerSettings, 'forwardedAllowIps' | 'secureSchemeHeaders'>

/** No header is changed. Fields that contradict each other say nothing here. */
export const schemeOf = ({ forwardedAllowIps, secureSchemeHeaders }: Trusting): SchemeOf => {
  const isTrusted = trust(forwardedAllowIps)
  const read = schemeReader(secureSchemeHeaders)
  return (request: IncomingMessage) => {
    // A UNIX socket has no address.
    if (!isTrusted(request.socket.remoteAddress ?? null)) return schemeOfSocket(request)
    const scheme = read(request.rawHeaders)
    return scheme === 'http' || scheme === 'https' ? scheme : schemeOfSocket(request)
  }
}
