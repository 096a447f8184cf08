/** Who is killed, and in which order: nothing is left but what DESIGN promises, and the port is free. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { temporaryFolder } from '../support/folder.ts'
import { freePort } from '../support/port.ts'
import { childrenOf, entryOf, isAlive, stateOf } from '../support/proc.ts'
import { startMonoceros } from '../support/process.ts'
import { until } from '../support/until.ts'

const APP = `require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)`
/** Has a child of its own. */
const QUEUE = `
exports.run = () => {
  const child = require('node:child_process').spawn('sleep', ['1000'])
  console.log('queue pid=' + process.pid + ' child pid=' + child.pid)
  return new Promise(() => {})
}`

const ORDERS = [
  ['mold', 'manager', 'arbiter'],
  ['mold', 'arbiter', 'manager'],
  ['manager', 'mold', 'arbiter'],
  ['manager', 'arbiter', 'mold'],
  ['arbiter', 'mold', 'manager'],
  ['arbiter', 'manager', 'mold'],
] as const

it.each(ORDERS)('%s, %s, %s: nothing is left, and the port is free', async (...order) => {
  const port = await freePort()
  const folder = temporaryFolder({ 'app.js': APP, 'queue.js': QUEUE })
  const config = { companions: [{ name: 'queue', target: './queue.js:run' }], companionStartsecs: 0 }
  writeFileSync(join(folder, 'c.json'), JSON.stringify(config))
  const args = ['-c', 'c.json', '-b', `127.0.0.1:${port}`, '--preload', '-w', '1', '--startsecs', '0', 'app.js']
  const program = startMonoceros(args, { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
  await program.line(/queue pid=\d+ child pid=\d+/)
  await program.line('companion is RUNNING companion=queue')
  const pids = {
    arbiter: program.pid,
    manager: Number((await program.line(/companion manager started pid=(\d+)/))[1]),
    mold: Number((await program.line(/companions are forked from it pid=(\d+)/))[1]),
  }
  // Numbers are given again, to processes that do not have our environment.
  const isOurs = (pid: number): boolean => isAlive(pid) && entryOf(pid, 'environ').includes(folder)
  expect(Object.values(pids).every(isOurs)).toBe(true)
  const companions = (): number[] =>
    [...program.output.matchAll(/queue pid=(\d+) child pid=(\d+)/g)].flatMap(([, ...both]) => both.map(Number))
  for (const name of order) {
    // One may have ended with another.
    const before = companions()
    if (isAlive(pids[name])) process.kill(pids[name], 'SIGKILL')
    await until(() => !isAlive(pids[name]))
    if (name === 'arbiter') await program.ended()
    // Whichever of the two is left ends what the other had begun; who kills both at once leaves sessions behind.
    if (name !== 'mold') await until(() => !before.some(isOurs))
  }
  const all = [...new Set([...program.output.matchAll(/\bpid=(\d+)/g)].map(([, pid]) => Number(pid)))]
  expect(all.length).toBeGreaterThanOrEqual(5)
  await until(() => !all.some(isOurs))
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

/** As the manager tells them. */
async function states(socket: string): Promise<readonly string[]> {
  const answer = await ask(socket, { cmd: 'status' })
  return answer.ok ? (answer.companions as { state: string }[]).map(({ state }) => state) : []
}

it('a companion that was forked, and waits for its manager’s word, ends with it', async () => {
  const folder = temporaryFolder({ 'app.js': APP, 'queue.js': QUEUE })
  const config = {
    companions: [{ name: 'queue', target: './queue.js:run' }],
    companionStartsecs: 0,
    companionRestartDelay: '1ms',
  }
  writeFileSync(join(folder, 'c.json'), JSON.stringify(config))
  const args = ['-c', 'c.json', '-b', `unix:${folder}/http`, '--preload', '-w', '1', '--startsecs', '0', 'app.js']
  const program = startMonoceros(args, { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
  const [, companion] = await program.line(/companion is RUNNING companion=queue pid=(\d+)/)
  const [, control] = await program.line(/manager is up .*control=(\S+)/)
  const [, manager] = (await program.line(/companion manager started pid=(\d+)/)).map(Number)
  const [, mold] = (await program.line(/companions are forked from it pid=(\d+)/)).map(Number)
  process.kill(mold!, 'SIGSTOP')
  await until(() => stateOf(mold!) === 'T')
  process.kill(Number(companion), 'SIGKILL')
  await program.line(/companion left companion=queue/)
  await program.line(/companion is BACKOFF companion=queue/)
  // Between the delay and the answer.
  await until(async () => (await states(control!))[0] === 'STARTING')
  process.kill(manager!, 'SIGSTOP')
  await until(() => stateOf(manager!) === 'T')
  const before = childrenOf(manager!)
  process.kill(mold!, 'SIGCONT')
  const born = (): number | undefined => childrenOf(manager!).find((pid) => !before.includes(pid) && pid !== mold)
  await until(() => born() !== undefined)
  const child = born()!
  process.kill(manager!, 'SIGKILL')
  await until(() => !isAlive(child))
  await until(() => (program.output.match(/companion is RUNNING companion=queue/g) ?? []).length === 2)
})
