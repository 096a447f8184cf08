/** The least client of RFC 6455 that shows that an upgraded connection carries bytes both ways. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** RFC 6455 §1.3: the answer to that key. */
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const TEXT = 0x81
const MASKED = 0x80

export class WebSocket {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async open(port: number, path: string): Promise<WebSocket> {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': KEY,
      'Sec-WebSocket-Version': '13',
    }
    const [response, socket] = await once(
      request({ port, host: '127.0.0.1', path, headers, agent: false }).end(),
      'upgrade',
    )
    expect(response.headers['sec-websocket-accept']).toBe(ACCEPT)
    return new WebSocket(socket)
  }

  /** Sends one short text and resolves with the next that comes; ends the connection. */
  async echo(text: string): Promise<string> {
    const payload = Buffer.from(text)
    // A mask of zeros leaves the payload as it is.
    this.#socket.write(Buffer.concat([Buffer.from([TEXT, MASKED | payload.length, 0, 0, 0, 0]), payload]))
    let received = Buffer.alloc(0)
    while (received.length < 2 + payload.length) {
      const [chunk] = await once(this.#socket, 'data')
      received = Buffer.concat([received, chunk])
    }
    this.#socket.destroy()
    return received.subarray(2).toString()
  }
}
