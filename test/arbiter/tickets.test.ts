/** TLS sessions: whichever worker began one, every worker resumes it. */
import { join } from 'node:path'
import { type PackedTickets, Tickets } from '../../lib/arbiter/tickets.ts'
import { ms } from '../../lib/units.ts'
import { CERTIFICATES, visit } from '../support/tls.ts'
import { serve } from './service.ts'

const own = (more: string) => `
const { readFileSync } = require('node:fs')
const options = { key: readFileSync('${CERTIFICATES}/one.key.pem'), cert: readFileSync('${CERTIFICATES}/one.cert.pem') }
const server = require('node:https').createServer(options, (q, r) => r.end(String(process.pid)))
${more}
server.listen(3000)
`
const PLAIN = `require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)`
const CERTIFIED = ['--certfile', `${CERTIFICATES}/one.cert.pem`, '--keyfile', `${CERTIFICATES}/one.key.pem`]

test.each([
  ['exec', "an app's own https server", own(''), []],
  ['exec', 'certfile', PLAIN, CERTIFIED],
  ['preload', "an app's own https server", own(''), ['--preload']],
  ['preload', 'certfile', PLAIN, ['--preload', ...CERTIFIED]],
])(
  'with %s and %s a session that began in one worker is resumed by another, and after a reload',
  async (_mode, _what, app, args) => {
    const { program, folder } = serve(['-w', '2', '--startsecs', '0', ...args], { files: { 'app.js': app } })
    await program.line('all workers are ready')
    const path = join(folder, 'http.sock')
    const first = await visit({ path })
    expect(first.reused).toBe(false)
    process.kill(Number(first.body), 'SIGSTOP')
    const second = await visit({ path }, first.session)
    process.kill(Number(first.body), 'SIGCONT')
    expect(second.body).not.toBe(first.body)
    expect(second.reused).toBe(true)

    const mark = program.mark()
    program.signal('SIGHUP')
    await program.lines(/worker left/, 2, mark)
    const third = await visit({ path }, second.session)
    expect([first.body, second.body]).not.toContain(third.body)
    expect(third.reused).toBe(true)
  },
)

test('an app that sets its own ticket keys keeps them', async () => {
  const app = own('server.setTicketKeys(Buffer.alloc(48, process.env.NODE_APP_INSTANCE))')
  const { program, folder } = serve(['-w', '2', '--startsecs', '0'], { files: { 'app.js': app } })
  await program.line('all workers are ready')
  const path = join(folder, 'http.sock')
  const first = await visit({ path })
  process.kill(Number(first.body), 'SIGSTOP')
  const second = await visit({ path }, first.session)
  process.kill(Number(first.body), 'SIGCONT')
  expect(second.body).not.toBe(first.body)
  expect(second.reused).toBe(false)
})

const HOUR = 3_600_000

function tickets(now: () => number, packed: PackedTickets | null = null) {
  const told: string[] = []
  return { told, held: new Tickets({ now: () => ms(now()), tell: (key) => void told.push(key) }, packed) }
}

test('The key is changed twice a day, and every worker is told.', () => {
  const { told, held } = tickets(() => 1000)
  const first = held.key
  expect(Buffer.from(first, 'base64')).toHaveLength(48)
  expect(held.deadline()).toBe(1000 + 12 * HOUR)
  held.judge(ms(12 * HOUR))
  expect({ told, key: held.key }).toEqual({ told: [], key: first })
  held.judge(ms(1000 + 12 * HOUR))
  expect(held.key).not.toBe(first)
  expect(told).toEqual([held.key])
  expect(held.deadline()).toBe(1000 + 24 * HOUR)
})

test('Another image of the arbiter goes on with the key, until it is due.', () => {
  const before = tickets(() => 0).held
  const { held } = tickets(() => 5 * HOUR, before.pack())
  expect(held.key).toBe(before.key)
  expect(held.deadline()).toBe(12 * HOUR)
})
