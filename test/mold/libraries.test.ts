/** Packages that keep randomness or connections of their own, in workers that were forked: by the recipes of docs/preload.md. */
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ready, type Service, serve } from '../arbiter/service.ts'
import { LIBRARIES } from '../support/apps.ts'
import { temporaryFolder } from '../support/folder.ts'
import { dist, start } from '../support/process.ts'
import { postgres } from './postgres.ts'

/** An ES module among the packages, preloaded. */
function preload(app: string, args: readonly string[]): Service {
  const source = `import { postFork, preFork } from '${dist('index.js')}'\n${app}`
  const files = { 'app.mjs': source, 'package.json': '{}' }
  return serve(['--preload', '--no-preload-spare', '--startsecs', '0', '--boot-timeout', '60s', ...args], {
    files,
    app: 'app.mjs',
    prepare: (folder) => symlinkSync(join(LIBRARIES, 'node_modules'), join(folder, 'node_modules')),
  })
}

/** Draws while it is loaded, and at one and the same time in each worker, so that only chance can tell them apart. */
const DRAWING = (recipes: string): string => `
import { ObjectId } from 'bson'
import { nanoid } from 'nanoid'
import { createServer } from 'node:http'
import { monotonicFactory } from 'ulid'
import { FormData, Request } from 'undici'
let ulid = monotonicFactory()
const draw = () => ({
  nanoid: nanoid(),
  objectId: Buffer.from(ObjectId.generate(1_700_000_000)).toString('hex'),
  ulid: ulid(1_700_000_000_000),
  boundary: new Request('http://x', { method: 'POST', body: new FormData() }).headers.get('content-type'),
})
draw()
${recipes}
createServer((q, r) => r.end()).listen(3000, () => console.log('drawn ' + JSON.stringify(draw())))
`

const RECIPES = `
postFork(() => {
  for (let n = 0; n < 128; n++) nanoid()
  ObjectId.resetState()
  ulid = monotonicFactory()
})`

/** How many different values there are of each kind, among that many workers. */
async function distinct(app: string, workers: number): Promise<Readonly<Record<string, number>>> {
  const { program } = preload(app, ['-w', String(workers)])
  const lines = await program.lines(/^drawn .*$/, workers)
  const drawn = lines.map(([line]) => JSON.parse(line.slice('drawn '.length)) as Record<string, string>)
  const counts = Object.keys(drawn[0]!).map((what) => [what, new Set(drawn.map((values) => values[what])).size])
  return Object.fromEntries(counts)
}

test('64 siblings with the recipes have nothing in common', async () => {
  expect(await distinct(DRAWING(RECIPES), 64)).toEqual({ nanoid: 64, objectId: 64, ulid: 64, boundary: 64 })
})

test('without the recipes they have: the recipes are what helps', async () => {
  expect(await distinct(DRAWING(''), 4)).toEqual({ nanoid: 1, objectId: 1, ulid: 1, boundary: 4 })
})

test('what the packages drew while the app was loaded is told by their names', async () => {
  const { program } = preload(DRAWING(RECIPES), ['-w', '1'])
  const [line] = await program.line(/random numbers were drawn .*/)
  for (const name of ['nanoid', 'bson', 'ulid']) expect(line).toContain(name)
})

test('an app that has used undici while it was loaded has connections of its own in each worker', async () => {
  const other = createServer((req, res) => res.end(String(req.socket.remotePort))).listen(0, '127.0.0.1')
  await once(other, 'listening')
  try {
    const service = preload(
      `
      import { createServer } from 'node:http'
      import { Agent, getGlobalDispatcher, request, setGlobalDispatcher } from 'undici'
      const ask = async () => (await request('http://127.0.0.1:${(other.address() as AddressInfo).port}')).body.text()
      const first = await ask()
      preFork(() => getGlobalDispatcher().close())
      postFork(() => setGlobalDispatcher(new Agent({ connections: 1, keepAliveTimeout: 60_000 })))
      createServer(async (q, r) => r.end([first, await ask(), await ask()].join())).listen(3000)`,
      ['-w', '2'],
    )
    await service.program.line('all workers are ready')
    const [, mold] = await service.program.line(/mold started pid=(\d+)/)
    const workers = service.children().filter((pid) => String(pid) !== mold)
    const ports = new Set<string>()
    for (const asleep of workers) {
      process.kill(asleep, 'SIGSTOP')
      const [first, second, third] = (await service.get()).body.split(',')
      process.kill(asleep, 'SIGCONT')
      expect(third).toBe(second) // kept alive
      ports.add(first!).add(second!)
    }
    expect(ports.size).toBe(3)
  } finally {
    other.closeAllConnections()
    other.close()
  }
})

/** A server that is gone after the test; it says so when it accepts connections. */
async function redis(): Promise<string> {
  const folder = temporaryFolder()
  const path = join(folder, 'redis.sock')
  const args = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder]
  await start('redis-server', args).line(/ready to accept connections/i)
  return path
}

test('an app that has used ioredis while it was loaded has a connection of its own in each worker', async () => {
  const service = preload(
    `
    import { createServer } from 'node:http'
    import Redis from 'ioredis'
    const redis = new Redis({ path: '${await redis()}', lazyConnect: true })
    await redis.connect()
    await redis.set('loaded by', process.pid)
    preFork(() => redis.quit())
    postFork(() => redis.connect())
    createServer(async (q, r) => {
      await redis.incr('requests')
      r.end([process.pid, await redis.client('ID'), await redis.get('loaded by'), await redis.get('requests')].join())
    }).listen(3000)`,
    ['-w', '3', '--restart-delay', '1ms'],
  )
  await service.program.line('all workers are ready')
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const seen = new Map<string, string>()
  const ask = async (requests: number): Promise<string> => {
    const [pid, connection, loadedBy, count] = (await service.get()).body.split(',') as [string, string, string, string]
    expect([loadedBy, count]).toEqual([mold, String(requests)])
    expect(seen.get(pid) ?? connection).toBe(connection)
    seen.set(pid, connection)
    return pid
  }
  // Each in its turn: the others sleep.
  const workers = service.children().filter((pid) => String(pid) !== mold)
  for (const [n, awake] of workers.entries()) {
    for (const pid of workers) if (pid !== awake) process.kill(pid, 'SIGSTOP')
    expect(await ask(n + 1)).toBe(String(awake))
    for (const pid of workers) process.kill(pid, 'SIGCONT')
  }
  const mark = service.program.mark()
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  await ready(service, 3, mark)
  await ask(4)
  expect(new Set(seen.values()).size).toBe(4)
})

/** Which worker is asked is decided by which are awake: all but one sleep meanwhile. */
async function fromEach(service: Service): Promise<readonly (readonly string[])[]> {
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const workers = service.children().filter((pid) => String(pid) !== mold)
  const answers: (readonly string[])[] = []
  for (const awake of workers) {
    for (const pid of workers) if (pid !== awake) process.kill(pid, 'SIGSTOP')
    answers.push((await service.get()).body.split(','))
    for (const pid of workers) process.kill(pid, 'SIGCONT')
  }
  return answers
}

describe('an app with a pool of pg', () => {
  const SERVE = `createServer(async (q, r) => r.end([process.pid, await ask(), await ask()].join())).listen(3000)`

  test('that has asked something while it was loaded has connections of its own in each worker', async () => {
    const server = await postgres()
    try {
      const service = preload(
        `
        import { createServer } from 'node:http'
        import pg from 'pg'
        const open = () => new pg.Pool({ host: '127.0.0.1', port: ${server.port}, user: 'somebody' })
        let pool = open()
        const ask = async () => (await pool.query('SELECT number')).rows[0].number
        console.log('loaded by ' + await ask())
        preFork(() => pool.end())
        postFork(() => { pool = open() })
        ${SERVE}`,
        ['-w', '3', '--restart-delay', '1ms'],
      )
      await service.program.line('all workers are ready')
      await service.program.line(/^loaded by 1$/)
      expect(server.left).toEqual([1])
      const first = await fromEach(service)
      expect(new Set(first.map(([pid]) => pid)).size).toBe(3)
      for (const [, number, again] of first) expect(again).toBe(number)
      const mark = service.program.mark()
      for (const [pid] of first) process.kill(Number(pid), 'SIGKILL')
      await ready(service, 3, mark)
      const numbers = [...first, ...(await fromEach(service))].map(([, number]) => Number(number))
      expect(numbers.sort()).toEqual([2, 3, 4, 5, 6, 7])
    } finally {
      server.close()
    }
  })

  test('that has asked nothing while it was loaded needs no hook', async () => {
    const server = await postgres()
    try {
      const service = preload(
        `
        import { createServer } from 'node:http'
        import pg from 'pg'
        const pool = new pg.Pool({ host: '127.0.0.1', port: ${server.port}, user: 'somebody' })
        const ask = async () => (await pool.query('SELECT number')).rows[0].number
        ${SERVE}`,
        ['-w', '2'],
      )
      await service.program.line('all workers are ready')
      expect((await fromEach(service)).map(([, ...numbers]) => numbers.join()).sort()).toEqual(['1,1', '2,2'])
    } finally {
      server.close()
    }
  })
})
