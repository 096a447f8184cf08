import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { dist, run, startMonoceros } from '../support/process.ts'
import { until } from '../support/until.ts'

const CONFIG = join(__dirname, '..', '..', 'examples', 'shop', 'monoceros.config.mjs')

test('The shop’s packer packs what its workers sell, a ticker counts, and monocerosctl shows all of them.', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'shop.sock')
  const env = { TMPDIR: folder, XDG_RUNTIME_DIR: undefined, SHOP_SPOOL: join(folder, 'spool') }
  const server = startMonoceros(['-c', CONFIG, '--bind', `unix:${path}`], { env, cwd: folder })
  await server.line('the shop: 0 orders packed, 0 waiting')
  const headers = { 'content-type': 'application/json' }
  const order = (body: string) => ask({ path }, { method: 'POST', path: '/orders', headers, body })
  expect((await order('{"product":"tea","quantity":2}')).status).toBe(201)
  await server.line('packed 2 × tea')

  const ctl = (...args: string[]) => run(process.execPath, [dist('cli/monocerosctl.js'), ...args], { env, cwd: folder })
  expect(await ctl('wait', 'all', 'RUNNING')).toMatchObject({ code: 0 })
  const { stdout, code } = await ctl('status')
  expect(stdout).toMatch(/^0 +RUNNING[\s\S]*^1 +RUNNING[\s\S]*^packer +RUNNING[\s\S]*^ticker +RUNNING/m)
  expect(code).toBe(0)

  // An order that came while nobody packed is packed later, and so is one that a packer had in its hands.
  await ctl('stop', 'packer')
  await order('{"product":"pot","quantity":1}')
  expect(JSON.parse((await ask({ path }, { path: '/queue' })).body)).toEqual({ waiting: 1, packed: 1 })
  await ctl('start', 'packer')
  await server.line('packed 1 × pot')
  await until(async () => (await ask({ path }, { path: '/queue' })).body === '{"waiting":0,"packed":2}\n')

  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
})
