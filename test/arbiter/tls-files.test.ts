/** Files of TLS with which nothing can be served: said before anything starts, and by --check-config. */
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monoceros } from '../cli/support.ts'
import { CERTIFICATES } from '../support/tls.ts'
import { APP, serve } from './service.ts'

const text = (name: string): string => readFileSync(join(CERTIFICATES, name), 'utf8')
const CERT = text('one.cert.pem')
const KEY = text('one.key.pem')
const ENCRYPTED = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
}) as string

const GOOD = { 'app.js': APP, 'cert.pem': CERT, 'key.pem': KEY }
const BOTH = ['--certfile', 'cert.pem', '--keyfile', 'key.pem']

test.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
  [
    'a certificate that is not there',
    {},
    ['--certfile', 'none.pem', '--keyfile', 'key.pem'],
    'certfile: cannot read /here/none.pem: no such file',
  ],
  [
    'a key that is not there',
    {},
    ['--certfile', 'cert.pem', '--keyfile', 'none.pem'],
    'keyfile: cannot read /here/none.pem: no such file',
  ],
  [
    'a certificate that is none',
    { 'cert.pem': 'hello' },
    BOTH,
    'certfile: /here/cert.pem holds no certificate (PEM): no "-----BEGIN CERTIFICATE-----"',
  ],
  [
    'a certificate that is broken',
    { 'cert.pem': CERT.replaceAll('M', 'N') },
    BOTH,
    'certfile: /here/cert.pem holds no certificate (PEM): wrong tag',
  ],
  [
    'a key that is none',
    { 'key.pem': CERT },
    BOTH,
    'keyfile: /here/key.pem holds no private key (PEM) that can be read: no "-----BEGIN PRIVATE KEY-----"',
  ],
  [
    'a key that is encrypted',
    { 'key.pem': ENCRYPTED },
    BOTH,
    'keyfile: /here/key.pem holds no private key (PEM) that can be read: it is encrypted, and there is no setting for a passphrase',
  ],
  [
    'no key at all',
    {},
    ['--certfile', 'cert.pem'],
    'certfile: /here/cert.pem holds no private key (PEM) that can be read, and keyfile is not set: no "-----BEGIN PRIVATE KEY-----"',
  ],
  [
    'the key of another',
    { 'key.pem': text('two.key.pem') },
    BOTH,
    'keyfile: the private key in /here/key.pem does not belong to the certificate in /here/cert.pem',
  ],
  [
    'authorities that are none',
    { 'ca.pem': 'hello' },
    [...BOTH, '--ca-certs', 'ca.pem'],
    'caCerts: /here/ca.pem holds no certificates (PEM): no "-----BEGIN CERTIFICATE-----"',
  ],
  [
    'authorities of which one is broken',
    { 'ca.pem': CERT + CERT.replaceAll('M', 'N') },
    [...BOTH, '--ca-certs', 'ca.pem'],
    'caCerts: /here/ca.pem holds no certificates (PEM): wrong tag',
  ],
  ['a folder', {}, [...BOTH, '--ca-certs', '.'], 'caCerts: cannot read /here: it is a folder'],
  ['ciphers that do not exist', {}, [...BOTH, '--ciphers', 'NONE-SUCH'], 'ciphers: "NONE-SUCH": no cipher match'],
])('%s', async (_, files, args, line) => {
  for (const more of [['--check-config'], ['-b', 'unix:http.sock']]) {
    const { code, stderr, stdout } = await monoceros(['app.js', ...args, ...more], { ...GOOD, ...files })
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: [line] })
  }
})

test('files that are right are good', async () => {
  const args = ['app.js', ...BOTH, '--ca-certs', 'cert.pem', '--ciphers', 'HIGH', '--check-config']
  expect(await monoceros(args, GOOD)).toMatchObject({ code: 0, stderr: [] })
  const weak = { 'app.js': APP, 'cert.pem': text('weak.cert.pem'), 'key.pem': text('weak.key.pem') }
  const lenient = ['app.js', ...BOTH, '--ciphers', 'DEFAULT@SECLEVEL=0', '--check-config']
  expect(await monoceros(lenient, weak)).toMatchObject({ code: 0, stderr: [] })
  const one = { 'app.js': APP, 'both.pem': `${KEY}${CERT}` }
  expect(await monoceros(['app.js', '--certfile', 'both.pem', '--check-config'], one)).toMatchObject({ code: 0 })
})

test('at a reload the old generation goes on, and the line is in the log', async () => {
  const service = serve(BOTH, { files: GOOD })
  await service.program.line('all workers are ready')
  writeFileSync(join(service.folder, 'key.pem'), text('two.key.pem'))
  service.program.signal('SIGHUP')
  await service.program.line(
    /reload refused: keyfile: the private key in .*key\.pem does not belong to the certificate in .*cert\.pem; nothing has changed/,
  )
  copyFileSync(join(CERTIFICATES, 'two.cert.pem'), join(service.folder, 'cert.pem'))
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves')
})

const startedAsRoot = (): void => {
  test.each([[[]], [['--preload']]])(
    'a key that only root may read: the worker says so, with code 2 (%j)',
    async (args) => {
      const { program } = serve([...BOTH, '-u', 'daemon', ...args], {
        files: GOOD,
        prepare(folder) {
          chmodSync(folder, 0o755)
          chmodSync(join(folder, 'key.pem'), 0o600)
        },
      })
      expect(await program.ended()).toEqual({ code: 2, signal: null })
      expect(program.stderr).toMatch(/the settings cannot be used: keyfile: cannot read .*key\.pem: EACCES/)
      expect(program.stderr).not.toMatch(/\bat .*dist\//)
    },
  )
}

const isRoot = process.getuid!() === 0
const asRoot = isRoot ? describe : describe.skip
asRoot('started as root', startedAsRoot)
