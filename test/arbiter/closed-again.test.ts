/** What an app opens and closes again: free at once where nobody has served there, kept where somebody has. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ask as control } from '../../lib/control/client.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { startMonoceros } from '../support/process.ts'
import { type Service, serve } from './service.ts'

const AT_ONCE = ['--startsecs', '0']
const HEAD = `
const net = require('node:net'), http = require('node:http'), fs = require('node:fs'), { once } = require('node:events')
const open = async (address, server = net.createServer()) => {
  await once(server.listen(address), 'listening')
  return server
}
const answering = (text) => http.createServer((req, res) => res.end(text))
`
const GONE = 'no longer listening: the app has closed it'

/** What `text` does is done when the app was evaluated; it can wait for somebody to write the FIFO `go`. */
const filesOf = (text: string): Readonly<Record<string, string>> => ({
  'app.js': `${HEAD} setImmediate(async () => { ${text} })`,
})
const makeFifo = (folder: string): void => void execFileSync('mkfifo', [join(folder, 'go')])
const start = (text: string, args: readonly string[] = ['-w', '1']): Service =>
  serve([...AT_ONCE, ...args], { files: filesOf(text), prepare: makeFifo })

/** Whether somebody else can listen there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'EADDRINUSE' })
    return false
  } finally {
    server.close()
  }
}

test.each([
  ['fork/exec', []],
  ['preload', ['--preload']],
  ['reusePort', ['--reuse-port']],
])('an app that tries ports before it serves finds what is free, and leaves the others alone: %s', async (_, args) => {
  const [one, other] = [await freePort(), await freePort()]
  // As portfinder does: the wildcard addresses can be had only when what was tried before is closed.
  const service = start(
    `for (const port of [${one}, ${other}])
      for (const host of ['127.0.0.1', '0.0.0.0', '::', '127.0.0.1']) (await open({ port, host })).close()
    await open({ port: 3000 }, answering('served'))
    await open({ port: ${one} }, answering('found'))
    console.log('both')`,
    ['-w', '1', ...args],
  )
  await service.program.line('all workers are ready')
  await service.program.line('both')
  expect((await service.get()).body).toBe('served')
  expect((await ask({ port: one })).body).toBe('found')
  const { output } = service.program
  expect(output.match(new RegExp(`${GONE} address=.*:${other}$`, 'gm'))).toHaveLength(4)
  expect(output).not.toContain('cannot listen')
  expect(await isFree(other)).toBe(true)
})

test('a port is free when `close` returns, and the file of a UNIX socket is gone', async () => {
  const port = await freePort()
  const service = start(
    `const tried = await open({ port: ${port}, host: '127.0.0.1' })
    const file = await open({ path: 'tried.sock' })
    const before = fs.existsSync('tried.sock')
    tried.close()
    file.close()
    console.log('file', before, fs.existsSync('tried.sock'))
    net.createServer().listen({ port: ${port}, host: '127.0.0.1', exclusive: true }, () => console.log('own'))
    await open({ port: 3000 }, answering('served'))`,
  )
  await service.program.line('file true false')
  await service.program.line('own')
  await service.program.line('all workers are ready')
})

test('a worker is not ready because it tries a port', async () => {
  const text = `
    (await open({ port: ${await freePort()}, host: '127.0.0.1' })).close()
    console.log('tried')
    await fs.promises.readFile('go')
    await open({ path: 'serves.sock' })`
  const folder = temporaryFolder(filesOf(text))
  makeFifo(folder)
  const args = ['app.js', '-w', '1', '--control-socket', 'control', ...AT_ONCE]
  const program = startMonoceros(args, { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
  await program.line('tried')
  expect(await control(join(folder, 'control'), { cmd: 'status' })).toMatchObject({ workers: [{ state: 'STARTING' }] })
  expect(program.output).not.toContain('worker ready')
  writeFileSync(join(folder, 'go'), '')
  await program.line('all workers are ready')
})

test('what one worker closes stays as long as another has it open', async () => {
  const port = await freePort()
  const service = start(
    `const slot = process.env.NODE_APP_INSTANCE
    const both = await open({ port: ${port}, host: '127.0.0.1' })
    const until = async (name) => {
      while (!fs.existsSync(name)) await new Promise(setImmediate)
    }
    if (slot === '0') {
      await until('other')
      both.close()
      await open({ port: ${port}, host: '127.0.0.1' })
      fs.writeFileSync('again', '')
    } else {
      fs.writeFileSync('other', '')
      await until('again')
    }
    await open({ port: 3000 }, answering('served'))`,
    ['-w', '2'],
  )
  await service.program.line('all workers are ready')
  expect(service.program.output).not.toContain(GONE)
})

test.each([
  ['ready', `await openSecond(); await serve()`, 'worker ready'],
  ['ready for startsecs', `await serve(); await openSecond()`, 'all workers are ready'],
])('a worker that closes what it had open when it was %s takes no connection with it', async (_, text, line) => {
  const port = await freePort()
  const service = start(
    `let second
    const openSecond = async () => {
      second = await open({ port: ${port}, host: '127.0.0.1' }, net.createServer((socket) => {
        const text = 'second of ' + process.pid
        socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text)
      }))
    }
    const serve = () => open({ port: 3000 }, http.createServer((req, res) => {
      if (req.url !== '/end') return res.end(String(process.pid))
      second.close(() => {
        console.log('closed')
        fs.readFileSync('go')
        process.exit(1)
      })
    }))
    ${text}`,
    ['-w', '1', '--startsecs', '2s'],
  )
  await service.program.line(line)
  const before = (await service.get()).body
  service.get('/end').catch(() => undefined)
  await service.program.line('closed')
  const waiting = ask({ port })
  writeFileSync(join(service.folder, 'go'), '')
  const { body } = await waiting
  expect(body).toMatch(/^second of \d+$/)
  expect(body).not.toBe(`second of ${before}`)
  expect(service.program.output).not.toContain(GONE)
})

test('what a serving worker opens and closes is free again, and stays where the worker is replaced', async () => {
  const port = await freePort()
  const service = start(
    `let later
    await open({ port: 3000 }, http.createServer(async (req, res) => {
      if (req.url === '/open') later = await open({ port: ${port}, host: '127.0.0.1' }, answering('later'))
      if (req.url === '/close') await new Promise((resolve) => later.close(resolve))
      res.end()
    }))`,
  )
  await service.program.line('all workers are ready')
  for (let n = 0; n < 2; n++) {
    await service.get('/open')
    expect((await ask({ port })).body).toBe('later')
    await service.get('/close')
    expect(await isFree(port)).toBe(true)
  }
  await service.get('/open')
  const mark = service.program.mark()
  service.program.signal('SIGHUP')
  await service.program.line('worker left', mark)
  expect(service.program.output.slice(mark)).not.toContain(GONE)
  expect(await isFree(port)).toBe(false)
})

test('where somebody has served, a successor that tries the port takes no connection', async () => {
  const port = await freePort()
  const service = start(
    `(await open({ port: ${port}, host: '127.0.0.1' })).close()
    await open({ port: ${port}, host: '127.0.0.1' })
    await open({ port: 3000 }, answering(String(process.pid)))`,
  )
  await service.program.line('all workers are ready')
  const mark = service.program.mark()
  expect(service.program.output).toContain(GONE)
  process.kill(Number((await service.get()).body), 'SIGKILL')
  await service.program.line('worker ready', mark)
  expect(service.program.output.slice(mark)).not.toContain(GONE)
})

test('what a worker had open that died before it was ready is closed by the one that closes it next', async () => {
  const port = await freePort()
  const service = start(
    `const tried = await open({ port: ${port}, host: '127.0.0.1' })
    if (!fs.existsSync('died')) {
      fs.writeFileSync('died', '')
      process.kill(process.pid, 'SIGKILL')
    }
    console.log('tried')
    await fs.promises.readFile('go')
    tried.close()
    await open({ port: 3000 }, answering('served'))`,
  )
  await service.program.line('tried')
  expect(service.program.output.match(new RegExp(`listening address=127.0.0.1:${port}`, 'g'))).toHaveLength(1)
  expect(await isFree(port)).toBe(false)
  writeFileSync(join(service.folder, 'go'), '')
  await service.program.line('all workers are ready')
  expect(await isFree(port)).toBe(true)
})
