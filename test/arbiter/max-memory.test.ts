/** Workers of an app that leaks are replaced one after the other while requests go on. */
import { join } from 'node:path'
import { startLoad } from '../support/load.ts'
import { serve } from './service.ts'

/** Every request keeps a quarter of a megabyte, up to more than a worker may have. */
const LEAKING = `
const http = require('node:http')
const kept = []
http.createServer((req, res) => {
  if (kept.length < 600) kept.push(Buffer.alloc(256 * 1024, 1))
  res.end(JSON.stringify({ pid: process.pid, received: 0 }))
}).listen(3000)
`

test('workers that leak are replaced one at a time, and not a request fails', async () => {
  const service = serve(['-w', '3', '--max-memory', '150MB', '--startsecs', '0', '--drain-idle', '0.2s'], {
    files: { 'app.js': LEAKING },
    patience: 50_000,
  })
  const { program } = service
  await program.line('all workers are ready')
  const load = startLoad({ path: join(service.folder, 'http.sock'), connections: 3, keepAlive: false, pause: 2 })
  const asked = await program.lines(/worker asks to be replaced .*reason="(\d+) MB of memory, maxMemory is 150 MB"/, 3)
  for (const [, used] of asked) expect(Number(used)).toBeGreaterThanOrEqual(150)
  await program.lines(/worker left .*code=0/, 3)
  const { answered, failures } = await load.stop()
  expect(failures).toEqual({})
  expect(answered).toBeGreaterThan(0)
  // Between two that are told to leave a new one has become ready.
  const order = program.output
    .slice(program.output.indexOf('all workers are ready'))
    .match(/worker ready|asked to leave/g)
  for (let n = 0, ready = 0, left = 0; n < order!.length; n++) {
    if (order![n] === 'worker ready') ready++
    else left++
    expect(left).toBeLessThanOrEqual(ready)
    expect(ready - left).toBeLessThanOrEqual(1)
  }
})
