/** Node's inspector in forked workers: each opens its own; the mold has none, nor what comes to be of an option of Node's. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ready, serve } from '../arbiter/service.ts'
import { temporaryFolder } from '../support/folder.ts'
import { targetsOf } from '../support/proc.ts'
import { dist, run } from '../support/process.ts'

const AT_ONCE = ['--startsecs', '0', '--restart-delay', '1ms']
const LISTENING = /^Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//gm

/** The sockets that listen on this port of IPv4, by inode. */
const inodesOf = (port: number): readonly string[] =>
  readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => state === '0A' && Number.parseInt(address!.split(':')[1]!, 16) === port)
    .map((fields) => `socket:[${fields[9]}]`)

/** Which of these processes hold what listens on the port. */
function holders(port: number, pids: readonly number[]): number[] {
  const inodes = inodesOf(port)
  return pids.filter((pid) => targetsOf(pid).some((target) => inodes.includes(target)))
}

test('each worker has an inspector at a port of its own, and nobody else holds that', async () => {
  const service = serve(['--preload', '--inspect', '-w', '2', ...AT_ONCE])
  const { program } = service
  await program.line('all workers are ready')
  const workers = (): number[] =>
    [...program.output.matchAll(/worker ready .* pid=(\d+)/g)].map(([, pid]) => Number(pid))
  const ports = (): number[] => [...program.output.matchAll(LISTENING)].map(([, port]) => Number(port))
  await program.lines(/^Debugger listening on/, 2)
  expect(new Set(ports().flatMap((port) => holders(port, service.children())))).toEqual(new Set(workers()))
  for (const port of ports()) {
    expect(holders(port, service.children())).toHaveLength(1)
    expect(await (await fetch(`http://127.0.0.1:${port}/json`)).json()).toMatchObject([{ type: 'node' }])
  }
  // The next one as well, and what the killed one had is gone with it.
  const [victim] = workers()
  const port = ports().find((one) => holders(one, [victim!]).length > 0)!
  const mark = program.mark()
  process.kill(victim!, 'SIGKILL')
  await ready(service, 1, mark)
  await program.lines(/^Debugger listening on/, 3)
  expect(inodesOf(port)).toEqual([])
  const newest = ports().at(-1)!
  expect(holders(newest, service.children())).toEqual([workers().at(-1)])
})

test('SIGUSR1 to a mold, by which Node opens its inspector, opens none in those that are forked from it', async () => {
  const app = `require('node:http').createServer((q, r) => r.end(String(require('node:inspector').url()))).listen(3000)`
  const service = serve(['--preload', '--no-preload-spare', ...AT_ONCE], { files: { 'app.js': app } })
  await service.program.line('all workers are ready')
  const [, mold] = await service.program.line(/mold started pid=(\d+)/)
  const mark = service.program.mark()
  process.kill(Number(mold), 'SIGUSR1')
  const [, worker] = await service.program.line(/worker ready .* pid=(\d+)/)
  process.kill(Number(worker), 'SIGKILL')
  await ready(service, 1, mark)
  expect((await service.get()).body).toBe('undefined')
  expect(service.program.output).not.toContain('Debugger listening')
})

test('and none in a mold that loads the app', async () => {
  const app = `
    console.log('loading')
    require('node:fs').readFileSync('load')
    require('node:http').createServer((q, r) => r.end('ok')).listen(3000)`
  const prepare = (folder: string) => void execFileSync('mkfifo', [join(folder, 'load')])
  const { program, folder } = serve(['--preload', ...AT_ONCE], { files: { 'app.js': app }, prepare })
  await program.line('loading')
  const [, mold] = await program.line(/mold started pid=(\d+)/)
  process.kill(Number(mold), 'SIGUSR1')
  writeFileSync(join(folder, 'load'), '')
  await program.line('all workers are ready')
  expect(program.output).not.toContain('Debugger listening')
})

test.each([
  ['--inspect=4680', 'the inspector would be that of all of them; the setting inspect opens one in each'],
  ['--no-single-threaded', 'V8 would have threads, which a fork does not copy'],
  ['--no_single_threaded', 'V8 would have threads, which a fork does not copy'],
  ['--cpu-prof', 'the profiler has a thread, which a fork does not copy'],
  ['--prof', 'the profiler has a thread, which a fork does not copy'],
  ['--trace-event-categories=v8', 'the events are written by a thread, which a fork does not copy'],
  ['--experimental-loader=data:text/javascript,', 'the loader has a thread, which a fork does not copy'],
])('%s is refused among nodeOptions with preload, and taken without', async (option, why) => {
  const app = join(temporaryFolder({ 'app.js': '' }), 'app.js')
  const check = (...more: string[]) =>
    run(process.execPath, [dist('cli/monoceros.js'), '--check-config', `--node-options=${option}`, ...more, app])
  const { code, stderr } = await check('--preload')
  expect(stderr.split('\n')[0]).toBe(
    `monoceros: --node-options (nodeOptions): has "${option}", which cannot be used with preload: ${why}`,
  )
  expect(code).toBe(2)
  expect((await check()).code).toBe(0)
})

describe('NODE_OPTIONS', () => {
  const WHY = 'which cannot be used with preload: the inspector would be that of all of them'
  const CHECK = [dist('cli/monoceros.js'), '--check-config', 'app.js']

  test('is looked at as well: at the start', async () => {
    const { program } = serve(['--preload'], { env: { NODE_OPTIONS: '--inspect-port=4681' } })
    await program.line(`NODE_OPTIONS: has "--inspect-port=4681", ${WHY}`)
    expect((await program.ended()).code).toBe(2)
  })

  test.each([
    ['--preload', 2],
    ['--no-preload', 0],
  ])('and by --check-config %s', async (flag, expected) => {
    const cwd = temporaryFolder({ 'app.js': '' })
    const env = { NODE_OPTIONS: '--no-warnings --inspect-port=4681' }
    const { code, stderr } = await run(process.execPath, [...CHECK, flag], { cwd, env })
    expect(code).toBe(expected)
    expect(stderr.includes(`monoceros: NODE_OPTIONS: has "--inspect-port=4681", ${WHY}`)).toBe(expected === 2)
  })

  test('that of the setting env comes first', async () => {
    const config = (options: string) => JSON.stringify({ preload: true, env: { NODE_OPTIONS: options } })
    const files = { 'app.js': '', 'good.json': config('--no-warnings'), 'bad.json': config('--cpu-prof') }
    const cwd = temporaryFolder(files)
    const check = (file: string, env: Readonly<Record<string, string>>) =>
      run(process.execPath, [...CHECK, '-c', file], { cwd, env })
    expect((await check('good.json', { NODE_OPTIONS: '--inspect-port=4681' })).code).toBe(0)
    const { code, stderr } = await check('bad.json', {})
    expect(stderr).toContain('bad.json: env.NODE_OPTIONS: has "--cpu-prof", which cannot be used with preload: ')
    expect(code).toBe(2)
  })
})
