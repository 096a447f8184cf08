/**
 * An app's code runs in the mold, and may say what it likes on the mold's channel: no process is believed to be its child
 * that is not.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, serve } from '../arbiter/service.ts'
import { isAlive } from '../support/proc.ts'

/** Says of the process in the file `named`, if there is one, that it has just been forked. */
const APP = `
const fs = require('node:fs')
const named = fs.existsSync('named') ? Number(fs.readFileSync('named', 'utf8')) : null
const isSocket = (fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:') } catch { return false } }
for (const fd of named === null ? [] : fs.readdirSync('/proc/self/fd').filter((fd) => fd > 2 && isSocket(fd)))
  for (let request = 1; request < 10; request++)
    fs.writeSync(Number(fd), JSON.stringify({ kind: 'forked', request, pid: named }))
require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)`

test.each([
  ['a worker', async (service: Service) => Number((await service.get()).body)],
  ['the companion manager', async (service: Service) => managerOf(service)],
  ['a process of somebody else', async () => process.pid],
])('%s', async (_, victim) => {
  const companions = [{ name: 'one', command: ['sleep', '1000'] }]
  const files = { 'app.js': APP, 'monoceros.json': JSON.stringify({ companions }) }
  const service = serve(['-c', 'monoceros.json', '--preload', '--no-preload-spare'], { files })
  await service.program.line('all workers are ready')
  const named = await victim(service)
  writeFileSync(join(service.folder, 'named'), String(named))
  service.program.signal('SIGHUP')
  await service.program.line(
    `reload failed: could not be started: its mold names process ${named}, which was not forked by it`,
  )
  expect(isAlive(named)).toBe(true)
  expect((await service.get()).status).toBe(200)
})

async function managerOf({ program }: Service): Promise<number> {
  const [, pid] = await program.line(/companion manager started pid=(\d+)/)
  return Number(pid)
}
