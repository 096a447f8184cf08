import { existsSync, renameSync, statSync } from 'node:fs'
import { ask } from '../../lib/control/client.ts'
import { until } from '../support/until.ts'
import { manage, SLEEPER } from './alone.ts'

/** Prints a line whenever it gets a newline from the FIFO `go`, so that tests decide when. */
const ECHO = [
  'sh',
  '-c',
  'mkfifo go.$NAME; echo first; while :; do if read line < go.$NAME; then echo "$line"; echo "err $line" >&2; fi; done',
]

/** Writes to a FIFO from outside. */
const say = async (path: string, line: string): Promise<void> => {
  const { open } = await import('node:fs/promises')
  const file = await open(path, 'w')
  await file.write(`${line}\n`)
  await file.close()
}
describe('the output of a companion', () => {
  it('goes to files of its own, opened for appending with mode 0644, stderr apart or along', async () => {
    const {
      become,
      read,
      path,
      ask: question,
    } = await manage([
      {
        name: 'apart',
        command: ['sh', '-c', 'echo out; echo err >&2; exec sleep 1000'],
        stdout: 'apart.out',
        stderr: 'apart.err',
      },
      {
        name: 'along',
        command: ['sh', '-c', 'echo out; echo err >&2; exec sleep 1000'],
        stdout: 'along.out',
        stderr: 'stdout',
      },
    ])
    await become('apart', 'RUNNING')
    await become('along', 'RUNNING')
    expect([read('apart.out'), read('apart.err'), read('along.out')]).toEqual(['out\n', 'err\n', 'out\nerr\n'])
    expect(statSync(path('apart.out')).mode & 0o777).toBe(0o644)
    await question({ cmd: 'restart', name: 'apart' })
    await until(() => read('apart.out') === 'out\nout\n')
  })

  it('is the manager’s own with "inherit", without its O_NONBLOCK', async () => {
    const flags = 'echo "flags $(sed -n s/flags:.//p /proc/self/fdinfo/1)"; exec sleep 1000'
    const { program, become } = await manage([
      { name: 'node', command: [process.execPath, '-e', 'console.log("node"); setInterval(() => {}, 1e6)'] },
      { name: 'shell', command: ['sh', '-c', flags] },
    ])
    await become('shell', 'RUNNING')
    await program.line(/^node$/)
    const [, found] = await program.line(/^flags\s+(\d+)/)
    expect(Number.parseInt(found!, 8) & 0o4000).toBe(0)
  })

  it('loses no line when a log is moved away and USR1 comes: a target reopens, and so does what it starts then', async () => {
    const jobs = `
      const { spawnSync } = require('node:child_process')
      const { execFileSync } = require('node:child_process')
      const fs = require('node:fs')
      exports.run = async () => {
        execFileSync('mkfifo', ['go'])
        console.log('first')
        for (;;) {
          const line = (await fs.promises.readFile('go', 'utf8')).trim()
          console.log(line)
          console.error('err ' + line)
          spawnSync('echo', ['child ' + line], { stdio: 'inherit' })
        }
      }`
    const { program, become, read, path } = await manage(
      [{ name: 'a', target: './jobs.js:run', stdout: 'log', stderr: 'stdout' }],
      { 'jobs.js': jobs },
    )
    await become('a', 'RUNNING')
    await until(() => existsSync(path('log')) && read('log') === 'first\n')
    await say(path('go'), 'one')
    await until(() => read('log').includes('child one'))
    renameSync(path('log'), path('log.old'))
    program.signal('SIGUSR1')
    await program.line('log files reopened')
    await until(() => existsSync(path('log')))
    // The message is on its way: whichever file the line goes to, it is in one of them.
    await say(path('go'), 'two')
    await until(() => (read('log.old') + read('log')).includes('child two'))
    await say(path('go'), 'three')
    await until(() => read('log').includes('child three'))
    expect((read('log.old') + read('log')).match(/^(first|one|two|three)$/gm)).toEqual(['first', 'one', 'two', 'three'])
    expect(read('log')).toContain('err three')
  })

  it('goes through the manager with logMode pipe, which reopens for any program', async () => {
    const { program, become, read, path } = await manage([
      { name: 'a', command: ECHO, env: { NAME: 'a' }, stdout: 'log', stderr: 'stdout', logMode: 'pipe' },
    ])
    await become('a', 'RUNNING')
    await say(path('go.a'), 'one')
    await until(() => read('log').includes('err one'))
    renameSync(path('log'), path('log.old'))
    program.signal('SIGUSR1')
    await program.line('log files reopened')
    await say(path('go.a'), 'two')
    await until(() => existsSync(path('log')) && read('log').includes('err two'))
    expect(read('log.old')).toBe('first\none\nerr one\n')
    expect(read('log')).toBe('two\nerr two\n')
  })

  it('keeps every byte through the pipe, also those that are no text, and the last ones', async () => {
    const script = 'head -c 3000000 /dev/urandom | tee copy; exit 5'
    const { become, path } = await manage([
      { name: 'a', command: ['sh', '-c', script], stdout: 'log', logMode: 'pipe', restartDelay: '1h', startsecs: '1h' },
    ])
    await become('a', 'BACKOFF')
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(path('log')).equals(readFileSync(path('copy')))).toBe(true)
  })

  it('is rotated by size, with as many backups as were asked for, also where several share a file', async () => {
    const script = 'i=0; while [ $i -lt 40 ]; do printf "%s %09d\\n" $NAME $i; i=$((i+1)); done; exec sleep 1000'
    const { become, read, path } = await manage([
      { name: 'a', command: ['sh', '-c', script], env: { NAME: 'a' }, stdout: 'log', logMaxBytes: 200, logBackups: 3 },
      { name: 'b', command: ['sh', '-c', script], env: { NAME: 'b' }, stdout: 'log', logMaxBytes: 200, logBackups: 3 },
    ])
    await become('a', 'RUNNING')
    await become('b', 'RUNNING')
    await until(() =>
      /a 000000039/.test(
        ['log', 'log.1', 'log.2', 'log.3'].map((name) => (existsSync(path(name)) ? read(name) : '')).join(''),
      ),
    )
    expect(existsSync(path('log.1'))).toBe(true)
    expect(existsSync(path('log.4'))).toBe(false)
  })

  it('is shown by tail, and followed over a rotation', async () => {
    const {
      become,
      ask: question,
      path,
      socket,
      program,
    } = await manage([
      { name: 'a', command: ECHO, env: { NAME: 'a' }, stdout: 'log', stderr: 'err' },
      { name: 'own', command: SLEEPER },
    ])
    await become('a', 'RUNNING')
    expect(await question({ cmd: 'tail', name: 'a' })).toEqual({
      ok: true,
      name: 'a',
      stream: 'stdout',
      path: path('log'),
      data: 'first\n',
      encoding: 'utf8',
    })
    expect(await question({ cmd: 'tail', name: 'a', bytes: 3 })).toMatchObject({ data: 'st\n' })
    expect(await question({ cmd: 'tail', name: 'a', stream: 'stderr' })).toMatchObject({ data: '', path: path('err') })
    expect(await question({ cmd: 'tail', name: 'own' })).toEqual({
      ok: false,
      error: 'own writes its stdout to monoceros\'s own output, not to a file: set "stdout" to a path',
    })
    expect(await question({ cmd: 'tail', name: 'a', bytes: 2 ** 30 })).toMatchObject({ ok: false })

    const stop = new AbortController()
    let heard = ''
    const following = ask(
      socket,
      { cmd: 'tail', name: 'a', follow: true },
      {
        silence: null,
        cancelled: stop.signal,
        line: (line) => {
          heard += String(line.data)
        },
      },
    )
    await until(() => heard === 'first\n')
    await say(path('go.a'), 'one')
    await until(() => heard === 'first\none\n')
    renameSync(path('log'), path('log.old'))
    program.signal('SIGUSR1')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path('log'), 'new file\n')
    await until(() => heard === 'first\none\nnew file\n')
    stop.abort()
    await expect(following).rejects.toThrow('cancelled')
  })
})
