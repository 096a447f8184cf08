/** The drop-in contract, seen through the command line: what an app finds and where it listens, with two workers. */
import { readFileSync } from 'node:fs'
import { temporaryFolder } from '../support/folder.ts'
import { type Address, ask, converse } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { type Program, run, type StartOptions, startMonoceros } from '../support/process.ts'
import { appIn } from './frameworks.ts'

const LISTEN = `const port = Number(process.env.PORT || 3000)`

/** Two workers of an app of this text, ready. */
async function hosted(text: string, args: readonly string[] = [], options: StartOptions = {}): Promise<Program> {
  const file = `${temporaryFolder({ 'app.js': `const http = require('node:http')\n${LISTEN}\n${text}` })}/app.js`
  const program = startMonoceros([file, '-w', '2', ...args], options)
  await program.lines(/worker ready/, 2)
  return program
}

const socket = (): { readonly args: readonly string[]; readonly address: Address } => {
  const path = `${temporaryFolder()}/sock`
  return { args: ['--bind', `unix:${path}`], address: { path } }
}

it('A guard of the main module holds, and the app gets its arguments.', async () => {
  const { args, address } = socket()
  const program = await hosted(
    `const app = (req, res) => res.end(JSON.stringify(process.argv.slice(2)))
     if (require.main === module) http.createServer(app).listen(port)
     module.exports = app`,
    [...args, '--', '--verbose', 'in.txt'],
  )
  expect(JSON.parse((await ask(address)).body)).toEqual(['--verbose', 'in.txt'])
  expect(program.output).toContain("the app's :3000 is led to")
})

it('A metrics port beside the app is shared by the workers, with bind and without.', async () => {
  const metrics = await freePort()
  const text = `
    http.createServer((req, res) => res.end('app')).listen(port)
    http.createServer((req, res) => res.end('metrics')).listen(${metrics}, '127.0.0.1')`
  const { args, address } = socket()
  const bound = await hosted(text, args)
  expect((await ask(address)).body).toBe('app')
  expect((await ask({ port: metrics })).body).toBe('metrics')
  bound.signal('SIGTERM')
  expect(await bound.ended()).toEqual({ code: 0, signal: null })

  const port = await freePort()
  await hosted(text, [], { env: { PORT: String(port) } })
  expect((await ask({ port, host: 'localhost' })).body).toBe('app')
  expect((await ask({ port: metrics })).body).toBe('metrics')
})

it('listen(0) is a port of its own in each worker.', async () => {
  const program = await hosted(`
    const server = http.createServer((req, res) => res.end(String(process.pid)))
    server.listen(0, '127.0.0.1', () => console.log('at', server.address().port, process.pid, '.'))`)
  const lines = await program.lines(/at (\d+) (\d+) \./, 2)
  const pids = await Promise.all(lines.map(async ([, port]) => (await ask({ port: Number(port) })).body))
  expect(pids).toEqual(lines.map(([, , pid]) => pid))
  expect(new Set(pids).size).toBe(2)
})

it('A server that closes and listens again is served again.', async () => {
  const { args, address } = socket()
  const program = await hosted(
    `let times = 0
     const server = http.createServer((req, res) => res.end(String(times)))
     const open = () => server.listen(port, () => { if (++times < 3) server.close(open); else console.log('open', process.pid, '.') })
     open()`,
    args,
  )
  await program.lines(/open \d+ \./, 2)
  expect((await ask(address)).body).toBe('3')
})

it('process.send("ready") makes a worker ready where it is waited for.', async () => {
  const { args, address } = socket()
  const program = await hosted(
    `http.createServer((req, res) => res.end('x')).listen(port, () => setImmediate(() => {
       console.error('saying', process.pid); process.send('ready') }))`,
    [...args, '--wait-ready'],
  )
  // Both on stderr: of two pipes nobody can tell which was written to first.
  const first = program.output.search(/saying/)
  expect(first).toBeGreaterThanOrEqual(0)
  expect(first).toBeLessThan(program.output.search(/worker ready/))
  expect((await ask(address)).body).toBe('x')
})

it('--env-file, --require and --import reach the workers, and NODE_OPTIONS theirs alone.', async () => {
  const folder = temporaryFolder({
    '.env': 'FROM_FILE=yes\n',
    'require.cjs': `console.log('required in', process.env.MONOCEROS_CHANNEL === undefined ? 'arbiter or app' : 'nobody knows')\nglobalThis.required = true`,
    'import.mjs': 'await 0; globalThis.imported = true',
    'option.cjs': `require('node:fs').appendFileSync(__dirname + '/loaded', process.argv[1] + '\\n'); globalThis.option = true`,
  })
  const { args, address } = socket()
  const options = `--env-file=${folder}/.env --require ${folder}/require.cjs --import ${folder}/import.mjs`
  await hosted(
    `http.createServer((req, res) => res.end([process.env.FROM_FILE, required, imported, option].join())).listen(port)`,
    [...args, `--node-options=${options}`],
    { env: { NODE_OPTIONS: `--require ${folder}/option.cjs` } },
  )
  expect((await ask(address)).body).toBe('yes,true,true,true')
  // Node itself had obeyed the variable before monoceros could replace itself.
  const loaded = readFileSync(`${folder}/loaded`, 'utf8').trim().split('\n')
  expect(loaded.map((path) => path.split('/').at(-1))).toEqual(['monoceros.js', 'app.js', 'app.js'])
})

it('A NestJS app that enables its shutdown hooks runs them when it is stopped.', async () => {
  const { args, address } = socket()
  const file = appIn(
    {
      'app.js': `
        require('reflect-metadata')
        const { Controller, Get, Module } = require('@nestjs/common')
        const { NestFactory } = require('@nestjs/core')
        class Hello {
          hello() { return 'hello' }
          onApplicationShutdown(signal) { console.log('shut down by', signal, '.') }
        }
        Get()(Hello.prototype, 'hello', Object.getOwnPropertyDescriptor(Hello.prototype, 'hello'))
        Controller()(Hello)
        class Root {}
        Module({ controllers: [Hello] })(Root)
        NestFactory.create(Root, { logger: false }).then((app) => app.enableShutdownHooks().listen(3000))`,
    },
    'app.js',
  )
  const program = startMonoceros([file, '-w', '2', ...args])
  await program.lines(/worker ready/, 2)
  expect((await ask(address)).body).toBe('hello')
  program.signal('SIGTERM')
  await program.lines(/shut down by SIGTERM \./, 2)
  expect(await program.ended()).toEqual({ code: 0, signal: null })
})

it('An Express app behind a slow request loses nothing when it is stopped.', async () => {
  const { args, address } = socket()
  const file = appIn(
    {
      'app.js': `
        const app = require('express')()
        app.get('/', (req, res) => { console.log('in flight in', process.pid, '.'); process.once('SIGUSR2', () => res.send('finished')) })
        const server = app.listen(3000)
        process.on('SIGTERM', () => server.close(() => { console.log('closed cleanly'); process.exit() }))`,
    },
    'app.js',
  )
  const program = startMonoceros([file, '-w', '2', ...args])
  await program.lines(/worker ready/, 2)
  const answer = ask(address)
  const [, pid] = await program.line(/in flight in (\d+) \./)
  program.signal('SIGTERM')
  await program.line(/worker drains .*active=1/)
  process.kill(Number(pid), 'SIGUSR2')
  expect(await answer).toMatchObject({ status: 200, body: 'finished' })
  await program.lines(/closed cleanly/, 2)
  expect(await program.ended()).toEqual({ code: 0, signal: null })
})

describe('socket.io, with one worker', () => {
  const text = `
    const { Server } = require('socket.io')
    const server = require('node:http').createServer((req, res) => res.end('plain'))
    const io = new Server(server)
    io.on('connection', (socket) => socket.on('echo', (value, answer) => answer(value + '!')))`

  it.each([
    ['listening itself', `server.listen(Number(process.env.PORT))`],
    ['as an export', `module.exports = server`],
  ])('%s: by polling, by WebSocket, and through the upgrade', async (_, end) => {
    const port = await freePort()
    const file = appIn({ 'app.js': `${text}\n${end}` }, 'app.js')
    const program = startMonoceros([file], { env: { PORT: String(port) } })
    await program.line(/worker ready/)
    const client = appIn(
      {
        'client.js': `
          const { io } = require('socket.io-client')
          const [, , port, ...transports] = process.argv
          const socket = io('http://127.0.0.1:' + port, { transports, reconnection: false })
          const ask = () => socket.emit('echo', 'hi', (value) => {
            console.log(value, socket.io.engine.transport.name); socket.close() })
          socket.on('connect_error', (error) => { console.log(error.message); process.exit(1) })
          socket.on('connect', () => transports.length === 2 && socket.io.engine.transport.name === 'polling' ? socket.io.engine.once('upgrade', ask) : ask())`,
      },
      'client.js',
    )
    for (const [transports, used] of [
      [['polling'], 'polling'],
      [['websocket'], 'websocket'],
      [['polling', 'websocket'], 'websocket'],
    ] as const) {
      const { stdout } = await run(process.execPath, [client, String(port), ...transports])
      expect(stdout).toBe(`hi! ${used}\n`)
    }
    expect((await ask({ port })).body).toBe('plain')
    program.signal('SIGTERM')
    expect(await program.ended()).toEqual({ code: 0, signal: null })
  })
})

it('Workers have a process group of their own, and stdin is /dev/null.', async () => {
  const { args, address } = socket()
  const program = await hosted(
    `http.createServer((req, res) => {
       const fs = require('node:fs')
       const group = fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')[2]
       res.end(JSON.stringify([fs.readlinkSync('/proc/self/fd/0'), Number(group) === process.pid, process.cwd()]))
     }).listen(port)`,
    args,
    { cwd: '/usr' },
  )
  expect(JSON.parse((await ask(address)).body)).toEqual(['/dev/null', true, '/usr'])
  expect(program.pid).toBeGreaterThan(0)
})

it('A keep-alive connection lives through many requests, and through none of a reload.', async () => {
  const { args, address } = socket()
  const program = await hosted(`http.createServer((req, res) => res.end(String(process.pid))).listen(port)`, args)
  const client = await converse(address)
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.until('200 OK')
  const mark = program.mark()
  program.signal('SIGHUP')
  await program.lines(/worker drains/, 2, mark)
  const before = client.received.length
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const last = (await client.closed()).slice(before)
  expect(last).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(last).toMatch(/\r\nConnection: close\r\n/i)
})
