/** The sign of life. */
import { join } from 'node:path'
import { ms } from '../../lib/units.ts'
import { beatInterval } from '../../lib/worker/beat.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { startNode } from '../support/process.ts'
import { LOOPBACK, startWorker, type Worker } from './worker.ts'

const app = (text: string): string => `${temporaryFolder({ 'app.js': text })}/app.js`

/** The row when it has beaten again. */
const nextBeat = async (worker: Worker): Promise<Awaited<ReturnType<Worker['row']>>> => {
  const { beat } = await worker.row()
  for (;;) {
    const row = await worker.row()
    // Two more: the first may have been stored while we looked.
    if (row.beat > beat + 1) return row
  }
}

it('There are several beats within a timeout, but never more than needed.', () => {
  expect(beatInterval(ms(30_000))).toBe(1_000)
  expect(beatInterval(ms(1_000))).toBe(250)
  expect(beatInterval(ms(10))).toBe(20)
  expect(beatInterval(ms(0))).toBe(1_000)
})

it('A beat tells what the worker does: requests by status, connections, what is in flight.', async () => {
  const worker = startWorker({
    file: app(`
      require('node:http').createServer((req, res) => {
        if (req.url === '/wait') return console.log('waiting')
        res.statusCode = Number(req.url.slice(1)); res.end()
      }).listen(3000)`),
    bind: [LOOPBACK],
    settings: { timeout: 400 },
  })
  const port = await worker.port()
  for (const status of [200, 204, 301, 404, 404, 500]) await ask({ port }, { path: `/${status}` })
  const client = await converse({ port })
  client.send('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n')
  await worker.printed(/waiting/)
  const row = await nextBeat(worker)
  expect(row).toMatchObject({
    requests: 7,
    inFlight: 1,
    connections: 1,
    informational: 0,
    success: 2,
    redirection: 1,
    clientError: 2,
    serverError: 1,
  })
  client.destroy()
  for (;;) if ((await nextBeat(worker)).connections === 0) break
})

it('A loop that stands still does not beat, and its lag shows afterwards.', async () => {
  const worker = startWorker({
    file: app(`
      const server = require('node:http').createServer((req, res) => {
        const end = Date.now() + 700
        while (Date.now() < end);
        res.end()
      }).listen(3000)`),
    bind: [LOOPBACK],
    settings: { timeout: 80 },
  })
  const port = await worker.port()
  await ask({ port })
  for (;;) {
    const { lag } = await worker.row()
    if (lag > 300) break
    // Seen too late: the next beat has stored a smaller one.
    await ask({ port })
  }
})

it('The stack of a loop that never turns is printed when the arbiter rings.', async () => {
  const worker = startWorker({
    file: app(`
      function forEver() { console.log('stuck'); while (true); }
      require('node:http').createServer(forEver).listen(3000)`),
    bind: [LOOPBACK],
  })
  const client = await converse({ port: await worker.port() })
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await worker.printed(/stuck/)
  worker.order({ ring: true })
  await worker.printed(/forEver .*app\.js:2/)
  worker.order({ signal: 'SIGKILL' })
  expect(await worker.ended()).toMatchObject({ signal: 'SIGKILL' })
})

it('A Node without the symbols for that shows the stack through its inspector.', async () => {
  const program = startNode(join(__dirname, 'stuck.js'))
  await program.line(/neverComesBack .*stuck\.js:\d+/)
})

it('Its output goes to new files when it is told so.', async () => {
  const folder = temporaryFolder()
  const worker = startWorker({
    file: app(`
      require('node:http').createServer((req, res) => {
        console.log('out'); console.error('err'); res.end() }).listen(3000)`),
    bind: [LOOPBACK],
  })
  const port = await worker.port()
  worker.say({ kind: 'reopen', files: ['stdout', 'stderr'] }, [`${folder}/out`, `${folder}/err`])
  const { readFileSync } = await import('node:fs')
  while (readFileSync(`${folder}/err`, { encoding: 'utf8', flag: 'a+' }) === '') await ask({ port })
  expect(readFileSync(`${folder}/out`, 'utf8')).toMatch(/^(out\n)+$/)
  expect(readFileSync(`${folder}/err`, 'utf8')).toMatch(/^(err\n)+$/)
})
