import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { freePort } from '../support/port.ts'
import { start } from '../support/process.ts'
import { until } from '../support/until.ts'
import { digest, type Seen, type Site, site } from './site.ts'
import { WebSocket } from './websocket.ts'

/** nginx in front, with connections to the worker that it keeps; `connection` is what it sends in that field. */
async function nginx({ port }: Site, connection: string): Promise<number> {
  const own = await freePort()
  const folder = temporaryFolder()
  const config = `
    daemon off; master_process off; pid ${folder}/pid; error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off;
      client_max_body_size 10m;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      upstream app { server 127.0.0.1:${port}; keepalive 1; }
      server {
        listen 127.0.0.1:${own};
        location / {
          proxy_pass http://app;
          proxy_http_version 1.1;
          proxy_set_header Host $host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection ${connection};
          proxy_request_buffering off;
        }
      }
    }`
  const file = join(temporaryFolder({ 'nginx.conf': config }), 'nginx.conf')
  start('nginx', ['-p', folder, '-c', file], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })
  await until(async () => (await ask({ port: own }, { path: '/up' }).catch(() => undefined))?.status === 200)
  return own
}

const asked = async (port: number, path: string, body?: string): Promise<Seen> => {
  const { status, body: text } = await ask({ port }, body ? { path, method: 'POST', body } : { path })
  expect(status).toBe(200)
  return JSON.parse(text)
}

test('nginx keeps its connection to the worker from request to request, with and without bodies.', async () => {
  const port = await nginx(await site(), '""')
  const body = 'y'.repeat(500_000)
  const seen = [await asked(port, '/1'), await asked(port, '/2', body), await asked(port, '/3')]
  expect(new Set(seen.map(({ remotePort }) => remotePort)).size).toBe(1)
  expect(seen[1]!.body).toEqual({ bytes: body.length, sha256: digest(body) })
  expect(seen.map(({ headers }) => headers.connection)).toEqual([undefined, undefined, undefined])
})

test('Where nginx sends "Connection: upgrade" with every request, each is an ordinary one and the connection is kept.', async () => {
  const port = await nginx(await site(), 'upgrade')
  const seen = [await asked(port, '/1'), await asked(port, '/2', 'body'), await asked(port, '/3')]
  expect(seen.map(({ headers }) => headers.connection)).toEqual(['upgrade', 'upgrade', 'upgrade'])
  expect(new Set(seen.map(({ remotePort }) => remotePort)).size).toBe(1)
})

test('Raw brackets, braces and bars in a query come through nginx as they were sent.', async () => {
  const port = await nginx(await site(), '""')
  const path = '/search?filter[name]=a&set={x|y}&quote="'
  expect((await asked(port, path)).url).toBe(path)
})

test('A WebSocket opens through nginx and says back what it was sent.', async () => {
  const port = await nginx(await site(), '$connection_upgrade')
  const socket = await WebSocket.open(port, '/socket')
  expect(await socket.echo('through nginx')).toBe('through nginx')
  expect((await asked(port, '/after')).url).toBe('/after')
})
