/** A client that closes before its answer: the worker asks the kernel whether it is gone. */
import type { OtherEnd } from '../../lib/kernel/kernel.ts'
import { fd } from '../../lib/units.ts'
import { otherEndOf } from '../../lib/worker/other-end.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { LOOPBACK, startWorker } from './worker.ts'

const APP = `const { EventEmitter, once } = require('node:events')
const events = new EventEmitter()
const heard = Promise.all([once(events, 'aborted'), once(events, 'closed')])
const half = once(events, 'half')
const go = once(events, 'go')
module.exports = async (req, res) => {
  if (req.url === '/abandoned') {
    req.on('aborted', () => events.emit('aborted'))
    res.on('close', () => events.emit('closed'))
    res.writeProcessing()
  } else if (req.url === '/heard') {
    await heard
    res.end('heard')
  } else if (req.url === '/waits') {
    req.socket.on('end', () => events.emit('half'))
    await go
    res.end('for the patient')
  } else {
    await half
    events.emit('go')
    res.end('go')
  }
}`
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Waiting for it would be longer than any test: what comes earlier comes because the client is known to be gone. */
const settings = { disconnectGrace: 3_600_000 }

it('An app hears at once that its client is gone, and one that only half-closes is answered.', async () => {
  const file = `${temporaryFolder({ 'app.js': APP })}/app.js`
  const port = await startWorker({ file, bind: [LOOPBACK], settings }).port()

  const leaves = await converse({ port })
  leaves.send(GET('/abandoned'))
  await leaves.until('102 Processing')
  leaves.destroy()
  expect((await ask({ port }, { path: '/heard' })).body).toBe('heard')

  const stays = await converse({ port }, { allowHalfOpen: true })
  stays.send(GET('/waits'))
  stays.socket.end()
  expect((await ask({ port }, { path: '/go' })).body).toBe('go')
  expect(await stays.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nfor the patient$/)
})

it('A kernel that does not answer is asked once; a descriptor that is gone says nothing of the next.', () => {
  const failing = (code: string) =>
    jest.fn((): OtherEnd => {
      throw Object.assign(new Error(code), { code })
    })
  const silent = failing('EOPNOTSUPP')
  const ask = otherEndOf({ otherEnd: silent })
  expect([ask(fd(3)), ask(fd(4))]).toEqual(['unknown', 'unknown'])
  expect(silent).toHaveBeenCalledTimes(1)
  const closed = failing('EBADF')
  const askAgain = otherEndOf({ otherEnd: closed })
  expect([askAgain(fd(3)), askAgain(fd(4))]).toEqual(['unknown', 'unknown'])
  expect(closed).toHaveBeenCalledTimes(2)
})
