import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { startMonoceros, startNode } from '../support/process.ts'

const COUNT = 10_000
/** Kilobytes that a connection may cost in the worker: a bound, three times what it takes. */
const DEAR = 16

const residentKilobytes = (pid: string): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])

test('Ten thousand idle connections leave the worker small and serving, and are ended cleanly when it goes.', async () => {
  const port = await freePort()
  const folder = temporaryFolder({ 'app.js': "module.exports = (req, res) => res.end('hello')" })
  const arbiter = startMonoceros(['app.js', '--bind', `127.0.0.1:${port}`, '--keep-alive', '600'], { cwd: folder })
  const [, pid] = await arbiter.line(/worker ready .*pid=(\d+)/)
  await ask({ port })
  const before = residentKilobytes(pid!)
  const clients = startNode(join(__dirname, 'idle-clients.js'), [String(port), String(COUNT)], { patience: 150_000 })
  await clients.line(`idle ${COUNT}`)
  expect((residentKilobytes(pid!) - before) / COUNT).toBeLessThan(DEAR)
  expect((await ask({ port })).body).toBe('hello')
  arbiter.signal('SIGTERM')
  await clients.line(`ended ${COUNT} broken 0`)
  expect(await arbiter.ended()).toEqual({ code: 0, signal: null })
})
