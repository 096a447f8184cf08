/** TLS of forked workers: their servers were made in the mold, and so were the keys of session tickets. */
import { join } from 'node:path'
import tls from 'node:tls'
import { serve } from '../arbiter/service.ts'

const CERTIFICATES = join(__dirname, '..', 'http', 'engine', 'certificates')
const APP = `
const { readFileSync } = require('node:fs')
const options = { key: readFileSync('${CERTIFICATES}/one.key.pem'), cert: readFileSync('${CERTIFICATES}/one.cert.pem') }
require('node:https').createServer(options, (q, r) => r.end(String(process.pid))).listen(3000)
`

type Visit = { readonly body: string; readonly reused: boolean; readonly session: Buffer | null }

/** One request; `session`: of an earlier visit. */
function visit(path: string, session?: Buffer): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ path, rejectUnauthorized: false, ...(session && { session }) })
    let latest: Buffer | null = null
    let text = ''
    let reused = false
    socket.on('session', (given) => {
      latest = given
    })
    socket.setEncoding('latin1').on('data', (data) => {
      text += data
    })
    socket.once('secureConnect', () => {
      // A closed socket does not know any more.
      reused = socket.isSessionReused()
      socket.write('GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n')
    })
    socket.once('error', reject)
    socket.once('close', () => resolve({ body: /\r\n\r\n(?:\w+\r\n)?(\d+)/.exec(text)![1]!, reused, session: latest }))
  })
}

test('a session that began in one worker is resumed by another', async () => {
  const { program, folder } = serve(['--preload', '-w', '2', '--startsecs', '0'], { files: { 'app.js': APP } })
  await program.line('all workers are ready')
  const path = join(folder, 'http.sock')
  const first = await visit(path)
  expect(first.reused).toBe(false)
  process.kill(Number(first.body), 'SIGSTOP')
  const second = await visit(path, first.session!)
  process.kill(Number(first.body), 'SIGCONT')
  expect(second.body).not.toBe(first.body)
  expect(second.reused).toBe(true)
})
