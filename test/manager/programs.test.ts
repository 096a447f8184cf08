import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { sessionMembers } from '../../lib/system/processes.ts'
import { pid } from '../../lib/units.ts'
import { isAlive } from '../support/proc.ts'
import { run } from '../support/process.ts'
import { until } from '../support/until.ts'
import { manage } from './alone.ts'

/** Real side programs as companions. */
describe('as a companion runs', () => {
  it('redis-server, which saves at its stop signal and comes back with what it had', async () => {
    const redis = ['redis-server', '--port', '0', '--unixsocket', 'r', '--save', '60 10000', '--dir', '.']
    const { become, ask, path, read } = await manage([
      { name: 'redis', command: redis, stdout: 'log', stderr: 'stdout', stopTimeout: '9s' },
    ])
    const client = (...args: string[]) => run('redis-cli', ['-s', path('r'), ...args])
    await become('redis', 'RUNNING')
    await until(() => existsSync(path('r')) && read('log').includes('ready to accept connections'))
    expect((await client('set', 'key', 'kept')).stdout).toBe('OK\n')
    await ask({ cmd: 'stop', name: 'redis' })
    expect(await become('redis', 'STOPPED')).toMatchObject({ last_exit_code: 0 })
    await ask({ cmd: 'start', name: 'redis' })
    await until(() => read('log').split('ready to accept connections').length === 3)
    expect((await client('get', 'key')).stdout).toBe('kept\n')
  })

  it('a queue consumer in Node, a target with a UNIX server that finishes its job before it stops', async () => {
    const consumer = `
      import { createServer } from 'node:net'
      export default { }
      export function consume() {
        return new Promise((resolve) => {
          let busy = 0
          const server = createServer((socket) => {
            busy++
            socket.on('data', (job) => setTimeout(() => socket.end('done ' + job), 100))
            socket.on('close', () => busy--)
          })
          server.listen('q', () => console.log('listens'))
          process.on('SIGTERM', () => server.close(() => { console.log('drained'); resolve() }))
        })
      }`
    const { become, ask, path, program } = await manage(
      [{ name: 'queue', target: './consumer.mjs:consume', env: { FORCE_COLOR: '0' }, stopTimeout: '9s' }],
      { 'consumer.mjs': consumer },
    )
    await become('queue', 'RUNNING')
    await program.line('listens')
    const socket = connect(path('q'))
    const answer = new Promise((resolve) => socket.on('data', (data) => resolve(String(data))))
    socket.write('job 1')
    await new Promise((resolve) => socket.once('connect', resolve))
    await ask({ cmd: 'stop', name: 'queue' })
    expect(await answer).toBe('done job 1')
    expect(await become('queue', 'STOPPED')).toMatchObject({ last_exit_code: 0 })
    await program.line('drained')
  })

  it('a shell loop with a pipeline, all of which ends with it', async () => {
    const script = 'while :; do echo beat; sleep 0.02; done | tr a-z A-Z | tee -a out | cat > /dev/null'
    const { become, ask, read, path } = await manage([{ name: 'loop', command: ['bash', '-c', script] }])
    const { pid: leader } = await become('loop', 'RUNNING')
    await until(() => existsSync(path('out')))
    const members = sessionMembers(new Set([pid(leader!)])).map((one) => one.pid as number)
    expect(members.length).toBeGreaterThanOrEqual(4)
    await ask({ cmd: 'stop', name: 'loop' })
    await become('loop', 'STOPPED')
    for (const member of members) expect(isAlive(member)).toBe(false)
    expect(read('out')).not.toContain('beat')
  })

  it('what its environment, folder, mask, user and limits say', async () => {
    const script = 'echo "$WHO $ALL $HOME $(pwd) $(umask) $(id -un) $(ulimit -n) $(ulimit -c)"; exec sleep 1000'
    const { program, become, folder } = await manage(
      [
        {
          name: 'a',
          command: ['bash', '-c', script],
          env: { WHO: 'me' },
          cwd: '/',
          umask: '027',
          user: 'nobody',
          limits: { NOFILE: 77, CORE: 0 },
        },
        { name: 'b', command: ['bash', '-c', 'echo "b $WHO $(pwd)"; exec sleep 1000'] },
      ],
      {},
      { companionEnv: { ALL: 'all', WHO: 'default' } },
    )
    await become('a', 'RUNNING')
    await program.line(/^me all \/nonexistent \/ 0027 nobody 77 0$/)
    await program.line(`b default ${folder}`)
  })

  it('or are not, because a limit is refused, which is named', async () => {
    // More than fs.nr_open is for nobody, root included.
    const limits = { CORE: 0, NOFILE: 2 ** 50 }
    const { program } = await manage([{ name: 'a', command: ['sleep', '1000'], limits }])
    await program.line(
      /could not be started: spawn '.*sleep' failed at limits \(NOFILE\): EPERM, operation not permitted/,
    )
  })
})
