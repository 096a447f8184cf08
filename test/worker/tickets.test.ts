import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { attach } from '../../lib/http/attach.ts'
import { noteTicketKeys, shareTickets } from '../../lib/worker/tickets.ts'
import { CERTIFICATES, visit } from '../support/tls.ts'

const certificate = (name: string) => ({
  key: readFileSync(`${CERTIFICATES}/${name}.key.pem`),
  cert: readFileSync(`${CERTIFICATES}/${name}.cert.pem`),
})
const key = (fill: string): Buffer => Buffer.alloc(48, fill)
const opened: http.Server[] = []

async function listening<Server extends http.Server>(server: Server): Promise<{ server: Server; port: number }> {
  opened.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}
const answer = (_request: unknown, response: http.ServerResponse): void => void response.end('1')

beforeAll(noteTicketKeys)
afterAll(() => {
  for (const server of opened) server.close()
})

test('Two servers with the same key resume the sessions of each other; with another key they begin anew.', async () => {
  const one = await listening(https.createServer(certificate('one'), answer))
  const two = await listening(https.createServer(certificate('one'), answer))
  shareTickets(one.server, key('a'))
  const { session } = await visit({ port: one.port })
  expect((await visit({ port: two.port }, session)).reused).toBe(false)
  shareTickets(two.server, key('a'))
  expect((await visit({ port: two.port }, session)).reused).toBe(true)
  shareTickets(two.server, key('b'))
  expect((await visit({ port: two.port }, session)).reused).toBe(false)
})

test('The key outlives new certificates.', async () => {
  const { server, port } = await listening(https.createServer(certificate('one'), answer))
  shareTickets(server, key('a'))
  const { session } = await visit({ port })
  server.setSecureContext(certificate('two'))
  expect((await visit({ port }, session)).reused).toBe(true)
})

test('What an app has decided stays, by option or by call; what is no TLS server is left alone.', () => {
  const byOption = https.createServer({ ...certificate('one'), ticketKeys: key('o') })
  const byCall = https.createServer(certificate('one'))
  byCall.setTicketKeys(key('c'))
  const plain = http.createServer()
  for (const server of [byOption, byCall, plain]) shareTickets(server, key('a'))
  expect(byOption.getTicketKeys()).toEqual(key('o'))
  expect(byCall.getTicketKeys()).toEqual(key('c'))
  expect(plain).not.toHaveProperty('ticketKeys')
})

test('TLS in front of a plain server takes a new key too.', async () => {
  const options = { tls: { ...certificate('one'), ticketKeys: key('a') } }
  const one = http.createServer(answer)
  const engine = attach(one, options)
  const { port } = await listening(one)
  const { session } = await visit({ port })
  expect((await visit({ port }, session)).reused).toBe(true)
  engine.renewTls({ ticketKeys: key('b') })
  expect((await visit({ port }, session)).reused).toBe(false)
})
