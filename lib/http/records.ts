/** What an access log is told of each response; nothing is kept or counted where nobody asked for it. */

import { ms } from '../units.ts'
import type { Connection } from './connection.ts'
import type { Outgoing } from './node.ts'

const starts = new WeakMap<Outgoing, number>()

/** The response has been made. */
export function noteResponse(connection: Connection, response: Outgoing): void {
  const { service } = connection
  if (service.onResponse !== null) starts.set(response, service.now())
}

/** The response is sent, or its connection gone. */
export function reportResponse(connection: Connection, response: Outgoing, aborted: boolean): void {
  const { service, socket } = connection
  const start = starts.get(response)
  if (service.onResponse === null || start === undefined) return
  starts.delete(response)
  const written = socket.bytesWritten ?? 0
  const bytes = written - connection.written
  connection.written = written
  service.onResponse({ request: response.req, response, bytes, duration: ms(service.now() - start), aborted })
}
