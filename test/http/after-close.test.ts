import { once } from 'node:events'
import net from 'node:net'
import { afterClose } from '../../lib/http/after-close.ts'

/** A connection to ourselves. */
async function connection(): Promise<net.Socket> {
  const server = net.createServer((socket) => socket.on('error', () => undefined).resume())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  server.close()
  return socket
}

test.each([
  ['destroyed later', false],
  ['destroyed already', true],
])('The close of a socket that is %s is told once, behind all who listen.', async (_, already) => {
  const socket = await connection()
  const order: string[] = []
  if (already) socket.destroy()
  await new Promise<void>((resolve) => {
    afterClose(socket, () => {
      order.push('told')
      resolve()
    })
    socket.on('close', () => order.push('listener'))
    socket.destroy()
  })
  expect(order).toEqual(['listener', 'told'])
})

test('A close is told where a listener throws and where all are removed, to each who wants to know.', async () => {
  const socket = await connection()
  const told: string[] = []
  afterClose(socket, () => told.push('first'))
  afterClose(socket, () => told.push('second'))
  socket.destroy().removeAllListeners()
  socket.on('close', () => {
    throw new Error('of the app')
  })
  expect(() => socket.emit('close')).toThrow('of the app')
  expect(told.sort()).toEqual(['first', 'second'])
  await once(socket.removeAllListeners(), 'close')
})
