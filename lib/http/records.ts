/** What is counted of each response, and what an access log is told; nothing is kept where nobody asked for it. */

import { ms } from '../units.ts'
import type { Connection } from './connection.ts'
import type { Outgoing } from './node.ts'
import type { Service } from './service.ts'

type Start = { readonly at: number; readonly target: string }

const starts = new WeakMap<Outgoing, Start>()

/** The response has been made. */
export function noteResponse(connection: Connection, response: Outgoing): void {
  const { service, socket } = connection
  if (service.onResponse === null) return
  starts.set(response, { at: service.now(), target: response.req.url ?? '' })
  // Asked for once, Node knows it for ever; of a closed socket nobody could tell any more.
  void socket.remoteAddress
}

/** The response is sent, or its connection gone. */
export function reportResponse(connection: Connection, response: Outgoing, aborted: boolean): void {
  const { service, socket } = connection
  const place = ((response.statusCode / 100) | 0) - 1
  // A status out of range is a bug of the app and counted nowhere.
  if (response.headersSent && place >= 0 && place < 5) service.classes[place]! += 1
  const start = starts.get(response)
  if (service.onResponse === null || start === undefined) return
  starts.delete(response)
  const written = socket.bytesWritten ?? 0
  const bytes = written - connection.written
  connection.written = written
  const { at, target } = start
  service.onResponse({ request: response.req, response, target, bytes, duration: ms(service.now() - at), aborted })
}

/** The process is about to exit: what is not over never will be, or its end is not heard of any more. */
export function reportOpen({ connections }: Service): void {
  for (const connection of connections) {
    for (const response of [...connection.sending, connection.response, ...connection.waiting]) {
      if (response !== null) reportResponse(connection, response, !response.writableFinished)
    }
  }
}
