/** What an app sees of being a worker: its entry, its arguments, its environment, `process.send`, `cluster`. */
import { temporaryFolder } from '../support/folder.ts'
import { LOOPBACK, startWorker } from './worker.ts'

const LISTEN = `require('node:http').createServer((req, res) => res.end('ok')).listen(0, '127.0.0.1')`
const files = (texts: Readonly<Record<string, string>>): string => temporaryFolder(texts)
const app = (text: string): string => `${files({ 'app.js': text })}/app.js`

describe('a file without an export', () => {
  it('is the main module, with its own arguments and nothing of ours', async () => {
    const file = app(`
      console.log(JSON.stringify({
        main: require.main === module, argv: process.argv.slice(1), execArgv: process.execArgv,
        ours: Object.keys(process.env).filter((name) => name === 'MONOCEROS_CHANNEL'),
        channel: require('node:fs').existsSync('/proc/self/fd/3') && require('node:fs').readlinkSync('/proc/self/fd/3').slice(0, 6),
        slot: process.env.NODE_APP_INSTANCE, cwd: process.cwd() }))
      ${LISTEN}`)
    const worker = startWorker(
      { file, args: ['--flag', 'x y'], nodeOptions: ['--stack-trace-limit=7'], go: { slot: 4 } },
      { cwd: '/tmp' },
    )
    const { input } = await worker.printed(/"main"/)
    expect(JSON.parse(input)).toEqual({
      main: true,
      argv: [file, '--flag', 'x y'],
      execArgv: ['--stack-trace-limit=7'],
      ours: [],
      channel: 'socket',
      slot: '4',
      cwd: '/tmp',
    })
    await worker.told('ready')
  })

  it('is the main module as ESM, evaluated once, with top-level await', async () => {
    const folder = files({
      'app.mjs': `
        import http from 'node:http'
        console.log('evaluated', import.meta.main ?? process.argv[1] === import.meta.filename)
        await new Promise((resolve) => setTimeout(resolve, 20))
        http.createServer().listen(0, '127.0.0.1', () => console.log('listening'))
        export default 5`,
    })
    const worker = startWorker({ file: `${folder}/app.mjs` })
    await worker.told('ready')
    await worker.printed(/listening/)
    expect(worker.program.stderr.match(/evaluated true/g)).toHaveLength(1)
  })

  it('is the main module under --import and --require, and they see it first', async () => {
    const folder = files({
      'before.mjs': `await new Promise((resolve) => setTimeout(resolve, 50)); console.log('imported')`,
      'before.cjs': `console.log('required')`,
      'app.mjs': `import http from 'node:http'
        console.log('main', import.meta.main ?? true)
        http.createServer().listen(0, '127.0.0.1')`,
      'app.js': `console.log('main', require.main === module); ${LISTEN}`,
    })
    for (const name of ['app.mjs', 'app.js']) {
      const worker = startWorker({
        file: `${folder}/${name}`,
        nodeOptions: ['--require', `${folder}/before.cjs`, `--import=${folder}/before.mjs`],
      })
      await worker.told('ready')
      expect(worker.program.stderr.match(/required|imported|main true/g)).toEqual(['required', 'imported', 'main true'])
    }
  })

  it('gets NODE_OPTIONS and --env-file', async () => {
    const folder = files({
      'app.js': `console.log(process.env.SECRET, Error.stackTraceLimit); ${LISTEN}`,
      '.env': 'SECRET=from-file\n',
    })
    const worker = startWorker({
      file: `${folder}/app.js`,
      nodeOptions: [`--env-file=${folder}/.env`],
      env: { NODE_OPTIONS: '--stack-trace-limit=3' },
    })
    await worker.printed(/^from-file 3$/)
    await worker.told('ready')
  })

  it('may have no extension, be a symbolic link, or leave it out', async () => {
    const folder = files({
      tool: `console.log('tool', require.main === module); ${LISTEN}`,
      'real.mjs': `
      import http from 'node:http'; console.log('esm'); http.createServer().listen(0, '127.0.0.1')`,
    })
    const { symlinkSync } = await import('node:fs')
    symlinkSync('real.mjs', `${folder}/link.mjs`)
    for (const [name, line] of [
      ['tool', /^tool true$/],
      ['link.mjs', /^esm$/],
    ] as const) {
      const worker = startWorker({ file: `${folder}/${name}` })
      await worker.printed(line)
      await worker.told('ready')
      expect(worker.program.stderr.match(/tool|esm/g)).toHaveLength(1)
    }
  })

  it("does not run the hook in the app's threads and forks", async () => {
    const folder = files({
      'app.js': `
        const { Worker } = require('node:worker_threads')
        const { fork } = require('node:child_process')
        new Worker(__dirname + '/part.js').once('exit', (code) => console.log('thread', code))
        fork(__dirname + '/part.js').once('exit', (code) => console.log('fork', code))
        ${LISTEN}`,
      'part.js': `console.log('part', process.execArgv.length)`,
    })
    const worker = startWorker({ file: `${folder}/app.js` })
    await worker.printed(/^thread 0$/)
    await worker.printed(/^fork 0$/)
    expect(worker.program.stderr.match(/part 0/g)).toHaveLength(2)
    expect(worker.all('announced')).toHaveLength(1)
  })

  it('leaves no channel in the programs that the app starts', async () => {
    const file = app(`
      const { execFileSync } = require('node:child_process')
      console.log('fds', execFileSync('ls', ['/proc/self/fd']).toString().trim().split('\\n').join())
      ${LISTEN}`)
    const worker = startWorker({ file })
    await worker.printed(/^fds 0,1,2,3$/)
  })
})

describe('an export', () => {
  it('is loaded by name, with argv as under plain node', async () => {
    const file = app(`
      console.log(JSON.stringify([process.argv.slice(1), process.execArgv, require.main === module]))
      exports.serve = (req, res) => res.end('ok')`)
    const worker = startWorker({ file, export: 'serve', args: ['a', '--', 'b'], bind: [LOOPBACK] })
    const { input } = await worker.printed(/app\.js/)
    expect(JSON.parse(input)).toEqual([[file, 'a', '--', 'b'], [], false])
    await worker.told('ready')
  })
})

describe('process.send', () => {
  it('makes a worker ready only when the app says so, with waitReady', async () => {
    const file = app(`
      const server = require('node:http').createServer((req, res) => { process.send('ready'); res.end() })
      server.listen(0, '127.0.0.1', () => setImmediate(() => setImmediate(() => console.log('at', server.address().port))))`)
    const worker = startWorker({ file, settings: { waitReady: true } })
    const [, port] = await worker.printed(/^at (\d+)$/)
    expect(worker.all('ready')).toEqual([])
    await fetch(`http://127.0.0.1:${port}/`)
    expect((await worker.told('ready')).address).toEqual([{ kind: 'tcp', host: '127.0.0.1', port: Number(port) }])
  })

  it('calls back, and warns once that nobody hears anything else', async () => {
    const file = app(`
      console.log(typeof process.send, process.connected)
      process.send('ready'); process.send({ a: 1 }, (error) => console.log('sent', error)); process.send('b')
      ${LISTEN}`)
    const worker = startWorker({ file })
    await worker.printed(/^function true$/)
    await worker.printed(/^sent null$/)
    await worker.told('ready')
    expect(worker.all('log')).toEqual([
      {
        kind: 'log',
        level: 'warning',
        text: "nobody hears process.send() but for process.send('ready'); the message was dropped",
      },
    ])
  })
})

describe('NODE_APP_INSTANCE', () => {
  it.each([
    ['WORKER_ID', '2 undefined'],
    [false, 'undefined undefined'],
  ])('can be renamed or switched off: %p', async (instanceVar, printed) => {
    const file = app(`console.log('v', process.env.WORKER_ID, process.env.NODE_APP_INSTANCE); ${LISTEN}`)
    const worker = startWorker({ file, settings: { instanceVar }, go: { slot: 2 } })
    await worker.printed(new RegExp(`^v ${printed}$`))
  })
})

describe('cluster', () => {
  const text = `
    const cluster = require('node:cluster')
    if (cluster.isPrimary) cluster.fork()
    else {
      console.log('flags', cluster.isMaster, cluster.isWorker, cluster.worker.id, cluster.worker.isConnected())
      require('node:http').createServer().listen(0, '127.0.0.1')
      const udp = require('node:dgram').createSocket('udp4')
      udp.bind(0, '127.0.0.1', () => { console.log('udp', udp.address().address); udp.close() })
      process.once('SIGUSR2', () => cluster.worker.disconnect())
    }`

  it('is primary as under plain node, but fork ends the boot with what to set', async () => {
    const file = app(text)
    const worker = startWorker({ file })
    expect(await worker.told('failed')).toEqual({
      kind: 'failed',
      fault: 'clusterFork',
      text: `${file} calls cluster.fork(), but monoceros keeps the workers; with clusterWorker: true the app sees itself as one`,
    })
    expect(await worker.ended()).toMatchObject({ code: 1 })
  })

  it('says so too when the worker is ready and something forks later', async () => {
    const file = app(`
      const { fork } = require('node:cluster')
      require('node:http').createServer().listen(0, '127.0.0.1')
      process.once('SIGUSR2', () => fork())`)
    const worker = startWorker({ file })
    await worker.told('ready')
    worker.order({ signal: 'SIGUSR2' })
    expect(await worker.told('failed')).toMatchObject({
      fault: 'clusterFork',
      text: expect.stringContaining(`${file} calls cluster.fork(), but monoceros keeps the workers`),
    })
    expect(await worker.ended()).toMatchObject({ code: 1 })
  })

  it('is a worker with clusterWorker', async () => {
    const worker = startWorker({ file: app(text), settings: { clusterWorker: true }, go: { slot: 1 } })
    await worker.printed(/^flags false true 2 true$/)
    await worker.printed(/^udp 127.0.0.1$/)
    await worker.told('ready')
    worker.order({ signal: 'SIGUSR2' })
    expect(await worker.told('retire')).toEqual({ kind: 'retire', reason: 'cluster.worker.disconnect()' })
  })

  it('shares and binds in a cluster worker as elsewhere', async () => {
    const file = app(`require('node:http').createServer().listen(3000)`)
    const worker = startWorker({ file, settings: { clusterWorker: true }, bind: [LOOPBACK] })
    expect((await worker.told('ready')).address).toEqual((await worker.told('spawned')).bound)
  })
})
