/** Writes a Fetch `Response` to Node's `ServerResponse`: streaming, with back-pressure, ended when the client goes. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** Settles when the answer was handed to the socket, or the client has gone; then the body has been cancelled. */
export const sendResponse = async (response: Response, outgoing: ServerResponse, head: boolean): Promise<void> => {
  // Response.error() has status 0, which HTTP has not.
  outgoing.statusCode = response.status === 0 ? 500 : response.status
  if (response.statusText) outgoing.statusMessage = response.statusText
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  const bare = head || response.status === 204 || response.status === 304
  if (response.body === null || bare) {
    outgoing.end()
    await response.body?.cancel()
    return
  }
  await pour(response.body, outgoing)
}

const pour = async (body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> => {
  const reader = body.getReader()
  const gone = () => {
    if (!outgoing.writableFinished)
      reader.cancel(new DOMException('The client closed the connection', 'AbortError')).catch(ignore)
  }
  outgoing.once('close', gone)
  try {
    let chunk = await reader.read()
    // A body of one piece gets a Content-Length from `end(data)`; it is known to be one when the end is there at once.
    while (!chunk.done) {
      const next = reader.read()
      if (await isOver(next)) {
        outgoing.end(chunk.value)
        return
      }
      if (!outgoing.write(chunk.value) && !outgoing.destroyed) await drained(outgoing)
      chunk = await next
    }
    outgoing.end()
  } finally {
    if (outgoing.destroyed) gone()
  }
}

/** Whether a read has already settled with the end of the body. It takes some turns of the microtask queue to know. */
const isOver = async (read: Promise<{ readonly done: boolean }>): Promise<boolean> => {
  let over = false
  read.then((result) => {
    over = result.done
  }, ignore)
  for (let turn = 0; turn < TURNS; turn++) await undefined
  return over
}
const TURNS = 3

const drained = async (outgoing: ServerResponse): Promise<void> => {
  const either = new AbortController()
  await Promise.race([
    once(outgoing, 'drain', { signal: either.signal }),
    once(outgoing, 'close', { signal: either.signal }),
  ])
  // The one that lost the race would stay on the response as a listener.
  either.abort()
}

const ignore = (): void => undefined
