import { once } from 'node:events'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask, converse } from '../support/http.ts'
import { type Program, startMonoceros } from '../support/process.ts'
import { until } from '../support/until.ts'

const APP = join(__dirname, 'access-app.js')

async function serving(...args: string[]): Promise<{ server: Program; path: string; folder: string; access: string }> {
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const access = join(folder, 'access.log')
  const all = [APP, '--bind', `unix:${path}`, '--access-logfile', access, ...args]
  const server = startMonoceros(all, { cwd: folder })
  await server.lines('worker ready', args.includes('2') ? 2 : 1)
  return { server, path, folder, access }
}

async function stopped(server: Program): Promise<void> {
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
}

const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []

test('Each response is a line with what came and what was sent, whatever the app makes of its url.', async () => {
  const format = '%(r)s %(s)s %(B)s %(h)s %(u)s %({x-kind}o)s %({x-id}i)s %(q)s %(p)s'
  const { server, path, access } = await serving('--access-logformat', format)
  const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`
  await ask({ path }, { path: '/a?b=1', headers: { authorization, 'x-id': '7' } })
  await ask({ path }, { path: '/missing', method: 'HEAD' })
  const streamed = await ask({ path }, { path: '/stream' })
  await stopped(server)
  const [first, second, third] = linesOf(access)
  expect(first).toMatch(/^GET \/a\?b=1 HTTP\/1\.1 200 \d+ - ann test 7 b=1 <\d+>$/)
  expect(second).toMatch(/^HEAD \/missing HTTP\/1\.1 404 0 - - test - {2}<\d+>$/)
  // With the framing of its chunks.
  expect(Number(third!.split(' ')[4])).toBeGreaterThanOrEqual(streamed.body.length)
})

test('A client that goes away without an answer is a 499, and is aborted in JSON.', async () => {
  const { server, path, access } = await serving('--access-logformat', 'json')
  const client = await converse({ path })
  client.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n')
  await server.line('hanging')
  client.destroy()
  await ask({ path }, { path: '/after' })
  await stopped(server)
  const records = linesOf(access).map((line) => JSON.parse(line))
  expect(records).toContainEqual(expect.objectContaining({ path: '/hang', status: 499, bytes: 0, aborted: true }))
  expect(records).toContainEqual(expect.objectContaining({ path: '/after', status: 200, aborted: false }))
})

test('The line of the response is there, although the app exits with it.', async () => {
  const { server, path, access } = await serving()
  await ask({ path }, { path: '/exit' })
  await server.line('worker left')
  expect(linesOf(access)).toEqual([expect.stringContaining('"GET /exit HTTP/1.1" 200')])
})

test('A request that its worker leaves without an answer has its line, too.', async () => {
  const { server, path, access } = await serving('--access-logformat', '%(U)s %(s)s')
  const client = await converse({ path })
  client.send('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n')
  await server.line('hanging')
  server.signal('SIGINT')
  await server.ended()
  expect(linesOf(access)).toEqual(['/hang 499'])
})

test('Rotated again and again under load, the log of two workers has every request once and no torn line.', async () => {
  const { server, path, access, folder } = await serving('-w', '2', '--access-logformat', '%(U)s end')
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const total = 3000
  let sent = 0
  const client = async (): Promise<void> => {
    while (sent < total) await ask({ path }, { agent, path: `/${sent++}` })
  }
  const clients = Promise.all(Array.from({ length: 8 }, client))
  let over = false
  void clients.then(() => {
    over = true
  })
  let rotations = 0
  while (!over || rotations === 0) {
    const at = server.mark()
    renameSync(access, join(folder, `access.${rotations}`))
    rotations += 1
    server.signal('SIGUSR1')
    await server.line('SIGUSR1', at)
    await until(() => existsSync(access))
  }
  await clients
  agent.destroy()
  await stopped(server)
  const files = [access, ...Array.from({ length: rotations }, (_, number) => join(folder, `access.${number}`))]
  const lines = files.flatMap(linesOf)
  expect(lines.filter((line) => !/^\/\d+ end$/.test(line))).toEqual([])
  const numbers = lines.map((line) => Number(line.slice(1, -4))).sort((a, b) => a - b)
  expect(numbers).toEqual(Array.from({ length: total }, (_, number) => number))
})

test('A dash is stdout, where a pipe gets whole lines.', async () => {
  const { server, path } = await serving('--access-logfile', '-', '--access-logformat', 'seen %(U)s')
  await Promise.all(Array.from({ length: 50 }, (_, number) => ask({ path }, { path: `/${number}` })))
  await server.lines(/^seen \/\d+$/, 50)
  expect(server.stdout.split('\n').filter((line) => line !== '' && !/^seen \/\d+$/.test(line))).toEqual([])
})

test('What the app prints goes to the log file with the arbiter’s own lines, and to the new one after a rotation.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'sock')
  const log = join(folder, 'error.log')
  const server = startMonoceros([APP, '--bind', `unix:${path}`, '--error-logfile', log], { cwd: folder })
  const has = (file: string, text: string): Promise<void> =>
    until(() => existsSync(file) && readFileSync(file, 'utf8').includes(text))
  await has(log, 'worker ready')
  await ask({ path }, { path: '/say' })
  await has(log, 'the app says something')
  renameSync(log, `${log}.1`)
  server.signal('SIGUSR1')
  await has(log, '')
  // The worker is told by a message; until that has come it writes to the old file, which loses nothing.
  do await ask({ path }, { path: '/say' })
  while (!readFileSync(log, 'utf8').includes('the app says something'))
  const ended = once(server.child, 'exit')
  server.signal('SIGTERM')
  await ended
  expect(server.output).toBe('')
})

test('A format that is none and a file that cannot be opened are errors before anything is started.', async () => {
  const bad = startMonoceros([APP, '--access-logformat', '%(zz)s'])
  await bad.line(/accessLogFormat.*a format without %\(zz\)s, which is no atom/)
  expect((await bad.ended()).code).toBe(2)
  const nowhere = startMonoceros([
    APP,
    '--access-logfile',
    '/nowhere/access.log',
    '--bind',
    `unix:${temporaryFolder()}/s`,
  ])
  await nowhere.line('accesslog: cannot open /nowhere/access.log: ENOENT')
  expect((await nowhere.ended()).code).toBe(2)
})
