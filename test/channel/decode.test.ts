import { decode, encode, TO_ARBITER, TO_WORKER } from '../../lib/channel/decode.ts'
import type { ToArbiter, ToWorker } from '../../lib/channel/messages.ts'

const said = (text: string) => decode<ToArbiter>(new TextEncoder().encode(text), TO_ARBITER)

describe('a datagram of the channel', () => {
  it('comes out as it went in, for every kind that a worker may say', () => {
    const messages: ToArbiter[] = [
      { kind: 'announced', pid: 12 },
      { kind: 'listen', id: 1, address: { kind: 'tcp', host: '::', port: 0, v6only: false }, backlog: 511 },
      { kind: 'listen', id: 2, address: { kind: 'unix', path: '/tmp/a', mode: 0o666 }, backlog: 0 },
      { kind: 'ready', address: [{ kind: 'unix', path: '/tmp/a' }] },
      { kind: 'failed', fault: 'threw', text: 'Error: x', stack: 'Error: x\n    at y' },
      { kind: 'failed', fault: 'exited', text: 'ended' },
      { kind: 'retire', reason: '10 requests' },
      { kind: 'loaded', files: ['/app/server.js'], since: 1 },
      { kind: 'draining', idle: 0, active: 3 },
      { kind: 'log', level: 'warning', text: 'ä' },
    ]
    for (const message of messages) expect(decode<ToArbiter>(encode(message), TO_ARBITER)).toEqual(message)
  })

  it('comes out as it went in, for every kind that the arbiter may say', () => {
    const messages: ToWorker[] = [
      {
        kind: 'go',
        protocol: 1,
        version: '1.0.0',
        arbiter: 1,
        slot: 0,
        generation: 1,
        cell: 3,
        listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 8000 }],
        settings: {} as never,
        waits: false,
        lasts: 1000,
      },
      { kind: 'listening', id: 1, address: { kind: 'unix', path: '/a' } },
      { kind: 'refused', id: 1, code: 'EADDRINUSE', message: 'address already in use' },
      { kind: 'drain', within: 30_000, stopping: true },
      { kind: 'quit' },
      { kind: 'reopen', files: ['stdout', 'stderr'] },
    ]
    for (const message of messages) expect(decode<ToWorker>(encode(message), TO_WORKER)).toEqual(message)
  })

  it('has room for every error, whose text and stack are cut for it', () => {
    const long = '\u0001'.repeat(50_000)
    const message: ToArbiter = { kind: 'failed', fault: 'threw', text: long, stack: long }
    const data = encode(message)
    expect(data.length).toBeLessThan(200_000)
    const cut = `${long.slice(0, 8192)}…`
    expect(decode<ToArbiter>(data, TO_ARBITER)).toEqual({ ...message, text: cut, stack: cut })
  })

  it.each([
    ['not JSON', '{', '1 bytes that are no JSON'],
    ['a list', '[]', 'JSON without a kind'],
    ['null', 'null', 'JSON without a kind'],
    ['a kind of Object.prototype', '{"kind":"constructor"}', 'a message of an unknown kind'],
    ['what only the arbiter says', '{"kind":"quit"}', 'a message of an unknown kind'],
    ['a missing field', '{"kind":"announced"}', 'a "announced" message whose "pid" is missing or wrong'],
    [
      'a field of another type',
      '{"kind":"retire","reason":1}',
      'a "retire" message whose "reason" is missing or wrong',
    ],
    [
      'a port that is none',
      '{"kind":"listen","id":1,"backlog":1,"address":{"kind":"tcp","host":"::","port":65536}}',
      'a "listen" message whose "address" is missing or wrong',
    ],
    [
      'a fault that is none',
      '{"kind":"failed","fault":"mood","text":""}',
      'a "failed" message whose "fault" is missing or wrong',
    ],
    [
      'an optional field of another type',
      '{"kind":"failed","fault":"threw","text":"","stack":[]}',
      'a "failed" message whose "stack" is missing or wrong',
    ],
  ])('is refused with the reason when it is %s', (_, text, why) => {
    expect(said(text)).toBe(why)
  })
})
