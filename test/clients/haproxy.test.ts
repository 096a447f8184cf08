import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { start } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type Seen, type Site, site } from './site.ts'

type Front = { readonly port: number; readonly state: () => Promise<string> }

/** HAProxy in front: `check` are the lines of its backend, `server` the words after the server's address. */
async function haproxy({ port }: Site, check: string, server: string): Promise<Front> {
  const own = await freePort()
  const folder = temporaryFolder()
  const config = `
global
  stats socket ${folder}/stats
defaults
  mode http
  timeout connect 20s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${own}
  default_backend app
backend app
  option httpchk
${check.replace(/^/gm, '  ')}
  server one 127.0.0.1:${port} check inter 100ms fall 1 rise 1 ${server}
`
  const file = join(temporaryFolder({ 'haproxy.cfg': config }), 'haproxy.cfg')
  start('haproxy', ['-db', '-f', file], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })
  await until(() => stats(`${folder}/stats`).then(Boolean, () => false))
  return { port: own, state: async () => checked(await stats(`${folder}/stats`)) }
}

/** HAProxy's own words on its servers (its management guide, "show stat"). */
function stats(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.end('show stat\n'))
    socket.setEncoding('utf8').on('data', (some) => {
      text += some
    })
    socket.on('error', reject).on('close', () => resolve(text))
  })
}

/** The status of the last check, such as L7OK or L7STS (HAProxy's field `check_status`). */
function checked(csv: string): string {
  const [head, ...rows] = csv.trim().split('\n')
  const names = head!.replace(/^# /, '').split(',')
  const row = rows.map((line) => line.split(',')).find(([backend, name]) => backend === 'app' && name === 'one')!
  return row[names.indexOf('check_status')]!.replace(/^\* /, '')
}

const reaches = (front: Front, result: string): Promise<void> => until(async () => (await front.state()) === result)

test("HAProxy's own check, in HTTP/1.0 and without Host, finds the server up, and requests pass.", async () => {
  const front = await haproxy(await site(), 'http-check send meth GET uri /check ver HTTP/1.0', '')
  await reaches(front, 'L7OK')
  const { status, body } = await ask(front, { path: '/through' })
  expect(status).toBe(200)
  expect((JSON.parse(body) as Seen).url).toBe('/through')
})

test('A check in HTTP/1.1 without Host is refused with 400, unless requireHostHeader is off.', async () => {
  const check = 'http-check send meth GET uri /check ver HTTP/1.1'
  const strict = await haproxy(await site(), check, '')
  await reaches(strict, 'L7STS')
  const lenient = await haproxy(await site('--no-require-host-header'), check, '')
  await reaches(lenient, 'L7OK')
})

test.each(['send-proxy', 'send-proxy-v2'])(
  'Behind HAProxy with %s the app sees the client, not the proxy.',
  async (words) => {
    const served = await site('--proxy-protocol', 'auto', '--proxy-allow-from', '127.0.0.1')
    const front = await haproxy(served, 'http-check send meth GET uri /check', `check-send-proxy ${words}`)
    await reaches(front, 'L7OK')
    const localPort = await freePort()
    const { body } = await ask(front, { path: '/who', localPort })
    expect(JSON.parse(body)).toMatchObject({ url: '/who', remoteAddress: '127.0.0.1', remotePort: localPort })
  },
)
