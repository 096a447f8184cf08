/** What is known of servers that keep Node's own protocol code. */
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { track } from '../../lib/worker/tracker.ts'
import { listening } from './listening.ts'

test('a stream of http2 that is gone by the end of its preRequest is not given to the app', async () => {
  const given: (string | undefined)[] = []
  const server = http2.createServer((req, res) => {
    given.push(req.url)
    res.end()
  })
  const waits: (() => void)[] = []
  let came = (): void => {}
  track(server, 'http2', null, ({ url }) => (go) => {
    if (url === '/there') go()
    else waits.push(go)
    came()
  })
  const session = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  const arrived = new Promise<void>((resolve) => {
    came = resolve
  })
  const gone = session.request({ ':path': '/gone' }).on('error', () => undefined)
  const closed = once(server, 'stream').then(([stream]) => once(stream, 'close'))
  await arrived
  gone.close(http2.constants.NGHTTP2_CANCEL)
  await closed
  waits[0]!()
  const there = session.request({ ':path': '/there' }).resume()
  await once(there, 'close')
  session.destroy()
  expect(given).toEqual(['/there'])
})

test('a server of another protocol may emit events that have the names of ours', async () => {
  const server = net.createServer((socket) => {
    socket.once('data', (data) => server.emit('request', String(data), socket))
  })
  server.on('request', (text: string, socket: net.Socket) => socket.end(`answer to ${text}`))
  track(server, 'net', null)
  const client = net.connect(await listening(server), '127.0.0.1')
  client.write('hi')
  expect(String((await once(client, 'data'))[0])).toBe('answer to hi')
  client.destroy()
})
