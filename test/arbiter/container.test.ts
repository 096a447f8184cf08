/** As process 1 of a pid namespace, as in a container: nothing stays behind, and what is sent is obeyed. */
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { type Answer, ask } from '../support/http.ts'
import { childrenOf, entryOf } from '../support/proc.ts'
import { dist, type Program, start } from '../support/process.ts'
import { until } from '../support/until.ts'

/** `/orphan` leaves two grandchildren behind: one that is soon over, one that stays. */
const APP = `
const { execFileSync } = require('node:child_process')
require('node:http').createServer((req, res) => {
  if (req.url === '/orphan') execFileSync('sh', ['-c', 'sleep 0.05 & setsid sleep 1000 & exit'], { stdio: 'ignore' })
  res.end(String(process.ppid))
}).listen(3000)
`

type Container = {
  readonly program: Program
  get(path: string): Promise<Answer>
  /** Process 1 as it is called out here. */
  arbiter(): number
  /** State and command of everything inside, such as `S node`. */
  processes(): readonly string[]
}

/** Needs the right to make namespaces: root, or user namespaces for everybody. */
function contain(args: readonly string[] = []): Container {
  const folder = temporaryFolder({ 'app.js': APP })
  const path = join(folder, 'http.sock')
  const command = [process.execPath, dist('cli/monoceros.js'), 'app.js', '-b', `unix:${path}`, '--startsecs', '0']
  const rights = process.getuid!() === 0 ? [] : ['--user', '--map-root-user']
  const options = ['--pid', '--fork', '--mount-proc', '--kill-child', ...rights]
  const program = start('unshare', [...options, ...command, ...args], { cwd: folder, env: { XDG_RUNTIME_DIR: folder } })
  const arbiter = (): number => childrenOf(program.pid)[0]!
  return {
    program,
    arbiter,
    get: (target) => ask({ path }, { path: target }),
    processes: () => inside(spaceOf(String(arbiter()))),
  }
}

function inside(space: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && spaceOf(name) === space)
    .map((name) => readStat(name))
    .filter((stat) => stat !== '')
}

const readStat = (pid: string): string => entryOf(Number(pid), 'stat').replace(/.*\((.*)\) (\w).*/s, '$2 $1')

/** The name of its pid namespace; empty for a process that is gone. */
function spaceOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return ''
  }
}

test('orphans are adopted and reaped, and TERM ends everything with exit code 0', async () => {
  const container = contain(['-w', '2', '--log-level', 'debug'])
  await container.program.line('all workers are ready')
  expect((await container.get('/')).body).toBe('1')
  for (let n = 0; n < 5; n++) await container.get('/orphan')
  await container.program.lines('reaped an orphan', 5)
  await until(() => !childrenOf(container.arbiter()).some((child) => readStat(String(child)).startsWith('Z')))
  // One may still be on its way from `setsid` to `sleep`.
  await until(() => container.processes().filter((one) => one.endsWith(' sleep')).length === 5)
  const space = spaceOf(String(container.arbiter()))
  process.kill(container.arbiter(), 'SIGTERM')
  expect(await container.program.ended()).toEqual({ code: 0, signal: null })
  expect(inside(space)).toEqual([])
})

test('a reload and a crash are dealt with as anywhere', async () => {
  const container = contain()
  await container.program.line('all workers are ready')
  process.kill(container.arbiter(), 'SIGHUP')
  await container.program.line('the new generation serves')
  await container.program.line(/worker left worker=1:0/)
  const mark = container.program.mark()
  process.kill(childrenOf(container.arbiter())[0]!, 'SIGKILL')
  await container.program.line('worker ready', mark)
  expect((await container.get('/')).status).toBe(200)
})
