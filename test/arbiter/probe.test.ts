/** `readyPath`: a new worker counts only when it has answered over its own accept path. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, serve } from './service.ts'

/** `/health` answers with what the file `health` beside it says. */
const APP = (create: string) => `
const { readFileSync } = require('node:fs')
const answer = (req, res) => {
  if (req.url !== '/health') return res.end(String(process.pid))
  console.log('asked ' + process.pid + ' from ' + req.socket.remoteAddress)
  res.statusCode = Number(readFileSync(__dirname + '/health', 'utf8'))
  res.end()
}
${create}.listen(3000)
`
const HTTP = APP(`require('node:http').createServer(answer)`)
const HTTP2 = APP(`require('node:http2').createServer(answer)`)

const say = ({ folder }: Service, status: number): void => writeFileSync(join(folder, 'health'), String(status))

const probed = (app: string, health: number, args: readonly string[] = []): Service =>
  serve(['--ready-path', '/health', '--startsecs', '0', ...args], {
    files: { 'app.js': app, health: String(health) },
  })

test('each worker of the first generation is asked itself', async () => {
  const service = probed(HTTP, 204, ['-w', '3'])
  await service.program.line('all workers are ready')
  const asked = (await service.program.lines(/^asked (\d+)/, 3)).map((match) => Number(match[1]))
  expect(asked.sort()).toEqual(service.children().sort())
})

test.each([
  ['an http2 server', HTTP2],
  ['a server on TCP', HTTP],
])('%s is asked in its own protocol', async (what, app) => {
  const service = probed(app, 200, what.endsWith('TCP') ? ['-b', '127.0.0.1:0'] : [])
  await service.program.line('all workers are ready')
  await service.program.line(what.endsWith('TCP') ? /^asked \d+ from 127.0.0.1/ : /^asked \d+/)
})

test('a worker that answers badly is not good until it answers well', async () => {
  const service = probed(HTTP, 503)
  await service.program.line(/readyPath: GET \/health was answered 503 worker=1:0/)
  expect(service.program.output).not.toContain('all workers are ready')
  say(service, 399)
  await service.program.line('all workers are ready')
})

test('a reload whose workers never answer well fails, and the old generation serves on', async () => {
  const service = probed(HTTP, 200, ['--boot-timeout', '1.5s'])
  await service.program.line('all workers are ready')
  const [old] = service.children()
  say(service, 500)
  service.program.signal('SIGHUP')
  await service.program.line(/readyPath: GET \/health was answered 500 worker=2:0/)
  // The one that is being asked takes no connection.
  for (let n = 0; n < 30; n++) expect((await service.get()).body).toBe(String(old))
  await service.program.line(/reload failed: was not ready in time \(bootTimeout\); the old generation serves on/)
  expect((await service.get()).body).toBe(String(old))
})

test('without the path nobody is asked', async () => {
  const service = serve(['--startsecs', '0'], { files: { 'app.js': HTTP, health: '500' } })
  await service.program.line('all workers are ready')
  expect(service.program.output).not.toContain('asked')
})
