/** `sslContext`: the TLS that stands in front of an app's plain server, as a real client meets it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { type Service, serve } from '../arbiter/service.ts'
import { CERTIFICATES, visit } from '../support/tls.ts'
import { until } from '../support/until.ts'

const file = (name: string): string => join(CERTIFICATES, name)
const [cert, key] = ['cert', 'key'].map((part) => file(`one.${part}.pem`))
const read = (name: string) => `readFileSync('${file(name)}')`
const TWO = `{ cert: ${read('two.cert.pem')}, key: ${read('two.key.pem')} }`

function start(hook: string, args: readonly string[] = [], settings = ''): Service {
  const text = `import { existsSync, readFileSync } from 'node:fs'\nimport tls from 'node:tls'
export default { ${settings} certfile: '${cert}', keyfile: '${key}', hooks: { ${hook} } }`
  const app = `require('node:http').createServer((req, res) => res.end(String(process.pid))).listen(3000)`
  const files = { 'app.js': app, 'monoceros.config.mjs': text }
  return serve(['-w', '1', '--startsecs', '0', ...args], { files })
}

/** The common name of the certificate that a client is shown; `-` where there is no handshake. */
function shown({ folder }: Service, servername?: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { path: join(folder, 'http.sock'), rejectUnauthorized: false, ...(servername && { servername }) }
    const socket = tls.connect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', () => resolve('-'))
    socket.once('close', () => resolve('-'))
  })
}

const BY_EXEC: readonly string[] = []
const BY_FORK: readonly string[] = ['--preload']

test.each([
  ['a context', `sslContext: () => tls.createSecureContext(${TWO})`, 'two', BY_EXEC],
  ['a promise of a context', `sslContext: async () => tls.createSecureContext(${TWO})`, 'two', BY_FORK],
  ['options', `sslContext: () => (${TWO})`, 'two', BY_FORK],
  ['what the settings make', 'sslContext: (config, defaultContext) => defaultContext()', 'one', BY_EXEC],
  ['nothing', 'sslContext() {}', 'one', BY_EXEC],
])('a hook that gives %s decides what clients are shown', async (_, hook, name, args) => {
  const service = start(hook, args)
  await service.program.line('all workers are ready')
  expect(await shown(service)).toBe(name)
  expect((await visit({ path: join(service.folder, 'http.sock') })).body).toMatch(/^\d+$/)
})

test('the hook is given the settings of TLS', async () => {
  const service = start('sslContext(config) { console.log(JSON.stringify(config)) }', ['--tls-min-version', 'TLSv1.3'])
  const [line] = await service.program.line(/^\{.*\}$/)
  expect(JSON.parse(line)).toEqual({
    certfile: cert,
    keyfile: key,
    caCerts: null,
    certReqs: 'none',
    ciphers: null,
    tlsMinVersion: 'TLSv1.3',
  })
})

const SNI = `sslContext(config, defaultContext) {
  const two = tls.createSecureContext(${TWO})
  return { SNICallback(name, done) {
    if (name === 'throws.example') throw new Error('thrown on purpose')
    done(null, name === 'two.example' ? two : defaultContext())
  } }
}`
const ASYNC_SNI = SNI.replace('SNICallback(name, done) {', 'async SNICallback(name) {').replace(
  /done\(null, (.*)\)\n/,
  'return $1\n',
)

test.each([
  ['with a callback', SNI],
  ['as a promise', ASYNC_SNI],
])('a certificate for each name (SNI, %s); a name for which it throws costs one handshake', async (_, hook) => {
  const service = start(hook)
  const { program } = service
  await program.line('all workers are ready')
  expect(await shown(service, 'one.example')).toBe('one')
  expect(await shown(service, 'two.example')).toBe('two')
  expect(await shown(service)).toBe('one')
  expect(await shown(service, 'throws.example')).toBe('-')
  await program.line('SNICallback of hook sslContext threw: Error: thrown on purpose')
  expect(await shown(service, 'two.example')).toBe('two')
  expect(program.output).not.toContain('worker left')
})

test('sessions are resumed by every worker, whatever context was given', async () => {
  const service = start(`sslContext: () => tls.createSecureContext(${TWO})`, ['-w', '2'])
  await service.program.line('all workers are ready')
  const to = { path: join(service.folder, 'http.sock') }
  const first = await visit(to)
  const resumed = new Set<string>()
  await until(async () => {
    const again = await visit(to, first.session)
    expect(again.reused).toBe(true)
    resumed.add(again.body)
    // The other one, while this one cannot.
    if (resumed.size === 1) process.kill(Number(again.body), 'SIGSTOP')
    return resumed.size === 2
  }).finally(() => {
    for (const pid of service.children()) process.kill(pid, 'SIGCONT')
  })
})

test.each([
  [
    'throws',
    `sslContext() { throw new TypeError('no such vault') }`,
    /hook sslContext threw: TypeError: no such vault/,
  ],
  ['rejects', 'sslContext: () => Promise.reject(7)', /hook sslContext threw: 7/],
  ['hangs', 'sslContext: () => new Promise(() => {})', /hook sslContext takes longer than 300ms/],
  ['gives a text', `sslContext: () => 'TLS'`, /hook sslContext gave a string; allowed: a tls\.SecureContext, options/],
  [
    'gives what is no key',
    `sslContext: () => ({ key: 'nonsense' })`,
    /hook sslContext gave options that make no context/,
  ],
])('a hook that %s is named, and nothing is served with less than it would have asked for', async (_, hook, words) => {
  const service = start(hook, BY_EXEC, `hookTimeout: '300ms',`)
  expect((await service.program.ended()).code).toBe(4)
  await service.program.line(words)
  expect(service.program.output).not.toMatch(/^ +at /m)
})

test('a reload whose hook fails leaves the generation of before', async () => {
  const service = start(`sslContext() { if (existsSync('bad')) throw new Error('no such vault') }`)
  const { program, folder } = service
  await program.line('all workers are ready')
  writeFileSync(join(folder, 'bad'), '')
  program.signal('SIGHUP')
  await program.line(/reload failed: hook sslContext threw: Error: no such vault.*; the old generation serves on/)
  expect(await shown(service)).toBe('one')
})

test('without certfile it is not called, and a line says so', async () => {
  const files = {
    'monoceros.config.mjs': `export default { hooks: { sslContext() { throw new Error('called') } } }`,
  }
  const service = serve(['-w', '1', '--startsecs', '0'], { files })
  await service.program.line('hooks (monoceros.config.mjs) has sslContext, which is not called without certfile')
  await service.program.line('all workers are ready')
  expect((await service.get()).status).toBe(200)
})
