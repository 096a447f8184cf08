/** Servers that keep Node's own protocol code: http2, and what is no HTTP at all. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import { createConnection } from 'node:net'
import { temporaryFolder } from '../support/folder.ts'
import { freePort } from '../support/port.ts'
import { LOOPBACK, startWorker } from './worker.ts'

const app = (text: string): string => `${temporaryFolder({ 'app.js': text })}/app.js`

describe('an http2 server', () => {
  it('serves, is counted, finishes its streams when it drains, and is named once in the log', async () => {
    const worker = startWorker({
      file: app(`
        const http2 = require('node:http2')
        http2.createServer((req, res) => {
          if (req.url === '/slow') { console.log('in flight'); process.once('SIGUSR2', () => res.end('slow')) }
          else { res.statusCode = 404; res.end('no') }
        }).listen(3000)
        http2.createServer().listen(0)`),
      bind: [LOOPBACK],
      settings: { timeout: 100 },
    })
    const session = connect(`http://127.0.0.1:${await worker.port()}`)
    const get = async (path: string): Promise<string> => {
      const stream = session.request({ ':path': path })
      const [headers] = await once(stream, 'response')
      let body = ''
      for await (const chunk of stream.setEncoding('utf8')) body += chunk
      return `${headers[':status']} ${body}`
    }
    expect(await get('/')).toBe('404 no')
    while ((await worker.row()).clientError !== 1);
    const slow = get('/slow')
    await worker.printed(/in flight/)
    worker.say({ kind: 'drain', within: 10_000, stopping: true })
    await worker.told('draining')
    worker.order({ signal: 'SIGUSR2' })
    expect(await slow).toBe('200 slow')
    expect(await worker.ended()).toMatchObject({ code: 0 })
    session.destroy()
    expect(worker.all('log').filter(({ level }) => level === 'warning')).toEqual([
      { kind: 'log', level: 'warning', text: "the app's http2 server keeps Node's own HTTP parser" },
    ])
  })
})

describe('a plain server', () => {
  it('keeps its connections for drainStreams', async () => {
    const port = await freePort()
    const worker = startWorker({
      file: app(`
        require('node:net').createServer((socket) => socket.pipe(socket)).listen(${port}, '127.0.0.1')
        process.on('monoceros:drain', () => console.log('draining'))`),
      settings: { drainStreams: 200 },
    })
    await worker.told('ready')
    const socket = createConnection(port, '127.0.0.1')
    socket.write('one')
    expect(String((await once(socket, 'data'))[0])).toBe('one')
    worker.say({ kind: 'drain', within: 10_000, stopping: true })
    await worker.printed(/draining/)
    socket.write('two')
    expect(String((await once(socket, 'data'))[0])).toBe('two')
    await once(socket, 'close')
    expect(await worker.ended()).toMatchObject({ code: 0 })
  })
})

it.each([
  ['insecureHTTPParser', true],
  // Node 24 has it as an option.
  ['httpValidation', 'relaxed'],
])('A lenient parser (%s) is not what an app gets, and the log says so.', async (name, value) => {
  const worker = startWorker({
    file: app(`Object.assign(require('node:http').createServer(), ${JSON.stringify({ [name]: value })}).listen(0)`),
  })
  expect(await worker.told('log')).toEqual({
    kind: 'log',
    level: 'warning',
    text: `${name} of the app's server is ignored: monoceros has a parser of its own, which is strict`,
  })
})

it('A lenient parser that NODE_OPTIONS ask for is not what an app gets, either.', async () => {
  const file = app(`require('node:http').createServer().listen(0)`)
  const worker = startWorker({ file, env: { NODE_OPTIONS: '--no-warnings --insecure-http-parser' } })
  expect((await worker.told('log')).text).toBe(
    '--insecure-http-parser is ignored: monoceros has a parser of its own, which is strict',
  )
})
