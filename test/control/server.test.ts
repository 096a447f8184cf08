import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type Program, run, startNode } from '../support/process.ts'

const SERVE = join(__dirname, 'serve.js')
const folder = (): string => temporaryFolder()

async function serve(path = join(folder(), 's'), options: object = {}): Promise<{ path: string; server: Program }> {
  const server = startNode(SERVE, [path, JSON.stringify(options)])
  await server.line(/^serving$|Error/)
  return { path, server }
}

/** A client that writes what it is told and gathers what comes. */
async function client(
  path: string,
): Promise<{ socket: Socket; lines: string[]; line: (count?: number) => Promise<string[]> }> {
  const socket = connect(path)
  const lines: string[] = []
  let rest = ''
  socket.on('error', () => {})
  socket.on('data', (data) => {
    const parts = (rest + data).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  await once(socket, 'connect')
  const line = async (count = 1): Promise<string[]> => {
    while (lines.length < count) await Promise.race([once(socket, 'data'), once(socket, 'close')])
    return lines.slice(0, count)
  }
  return { socket, lines, line }
}

describe('the socket', () => {
  it('is its owner’s alone, whatever the umask, from the moment that it can be seen', async () => {
    const path = join(folder(), 's')
    const server = startNode('-e', [
      `process.umask(0); process.argv.splice(1, 0, ''); require(${JSON.stringify(SERVE)})`,
      path,
    ])
    while (!existsSync(path)) await new Promise(setImmediate)
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
    await server.line('serving')
    expect(lstatSync(`${path}.lock`).mode & 0o777).toBe(0o600)
  })

  it('is gone after the end, and its lock file with it', async () => {
    const { path, server } = await serve()
    server.signal('SIGTERM')
    expect(await server.ended()).toEqual({ code: 0, signal: null })
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false])
  })

  it('is left alone at the end where somebody else made another one there', async () => {
    const { path, server } = await serve()
    unlinkSync(path)
    const other = createServer().listen(path)
    await once(other, 'listening')
    server.signal('SIGTERM')
    await server.ended()
    expect(existsSync(path)).toBe(true)
    other.close()
  })

  it('of a server that was killed is replaced', async () => {
    const { path, server } = await serve()
    server.signal('SIGKILL')
    await server.ended()
    expect(lstatSync(path).isSocket()).toBe(true)
    await serve(path)
    expect(await ask(path, { cmd: 'echo' })).toEqual({ ok: true })
  })

  it('of a living server is not, and the answer names the process', async () => {
    const { path, server } = await serve()
    const second = startNode(SERVE, [path])
    await second.line(`ControlError: control socket: ${path}.lock is locked by process ${server.pid}`)
    expect(await ask(path, { cmd: 'pid' })).toEqual({ ok: true, pid: server.pid })
  })

  it('of a living server of another program is not either', async () => {
    const path = join(folder(), 's')
    const other = createServer().listen(path)
    await once(other, 'listening')
    await startNode(SERVE, [path]).line(/^ControlError: control socket: .*EADDRINUSE/)
    other.close()
  })

  it('never replaces a file that is no socket', async () => {
    const path = join(folder(), 's')
    writeFileSync(path, 'precious')
    await startNode(SERVE, [path]).line(
      `ControlError: control socket: ${path} is in the way and is no socket; it was left as it is`,
    )
    expect(readFileSync(path, 'utf8')).toBe('precious')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  it('never takes a file for its lock that is none', async () => {
    const path = join(folder(), 's')
    writeFileSync(`${path}.lock`, 'precious')
    await startNode(SERVE, [path]).line('is in the way and is no lock file of monoceros')
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe('precious')
  })

  it('cannot stand in a directory that does not exist', async () => {
    const path = join(folder(), 'none', 's')
    await startNode(SERVE, [path]).line(`ControlError: control socket: ${join(path, '..')} does not exist`)
  })

  it('cannot stand where we may not write', async () => {
    const directory = join(folder(), 'd')
    mkdirSync(directory)
    chmodSync(join(directory, '..'), 0o755)
    chmodSync(directory, 0o555)
    await startNode(SERVE, [join(directory, 's'), '{"uid": 65534}']).line(/^ControlError: control socket: EACCES/)
  })

  it('has a path of at most 100 bytes', async () => {
    const directory = folder()
    const longest = join(directory, 'x'.repeat(99 - directory.length))
    expect(Buffer.byteLength(longest)).toBe(100)
    await serve(longest)
    expect(await ask(longest, { cmd: 'echo' })).toEqual({ ok: true })
    await startNode(SERVE, [`${longest}x`]).line("has 101 bytes: a socket's path has at most 100")
  })
})

describe('a request', () => {
  it('is answered on the same connection as those before it, in order', async () => {
    const { path } = await serve()
    const { socket, line } = await client(path)
    socket.write('{"cmd":"echo","name":"a"}\n{"cmd":"nonsense"}\n{"cmd":"echo","name":"b"}\n')
    expect((await line(3)).map((one) => JSON.parse(one))).toEqual([
      { ok: true, name: 'a' },
      { ok: false, error: expect.stringContaining('unknown command "nonsense"') },
      { ok: true, name: 'b' },
    ])
    socket.destroy()
  })

  it('may come a byte at a time', async () => {
    const { path } = await serve()
    const { socket, line } = await client(path)
    for (const byte of Buffer.from('{"cmd":"echo","name":"ä"}\n')) {
      socket.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    expect(JSON.parse((await line())[0]!)).toEqual({ ok: true, name: 'ä' })
    socket.destroy()
  })

  it('of a megabyte is refused, and the connection goes on', async () => {
    const { path } = await serve()
    const { socket, line } = await client(path)
    socket.write(`{"cmd":"echo","name":"${'x'.repeat(1_000_000)}"}\n{"cmd":"echo"}\n`)
    expect((await line(2)).map((one) => JSON.parse(one))).toEqual([
      { ok: false, error: 'a request is one line of at most 65536 bytes' },
      { ok: true },
    ])
    socket.destroy()
  })

  it('that was cut does nothing', async () => {
    const { path, server } = await serve()
    const { socket, line } = await client(path)
    socket.end('{"cmd":"echo","name":"cu')
    expect(JSON.parse((await line())[0]!).error).toBe(
      'the connection ended in the middle of a request: nothing was done',
    )
    await ask(path, { cmd: 'echo', name: 'after' })
    await server.line('echo after')
    expect(server.stdout).not.toContain('echo cu')
  })

  it('is answered by socat, with and without a newline at its end', async () => {
    const { path } = await serve()
    for (const line of ['{"cmd":"echo","name":"s"}\n', '{"cmd":"echo","name":"s"}']) {
      const found = await run('sh', ['-c', `printf '%s' "$1" | socat -t 5 - "UNIX-CONNECT:$2"`, 'sh', line, path])
      expect(JSON.parse(found.stdout)).toEqual({ ok: true, name: 's' })
    }
  })

  it('that makes a command throw is answered, and the defect is logged', async () => {
    const { path, server } = await serve()
    expect(await ask(path, { cmd: 'throw' })).toEqual({
      ok: false,
      error: '"throw" failed inside monoceros: broken on purpose',
    })
    await server.line('failed: broken on purpose')
  })
})

describe('clients', () => {
  it('of which 200 come at once all get their own answer', async () => {
    const { path } = await serve()
    const names = Array.from({ length: 200 }, (_, n) => `n${n}`)
    const answers = await Promise.all(names.map((name) => ask(path, { cmd: 'echo', name })))
    expect(answers).toEqual(names.map((name) => ({ ok: true, name })))
  })

  it('that wait do not make others wait', async () => {
    const { path, server } = await serve()
    const waiting = ask(path, { cmd: 'hold' })
    await server.line('held')
    expect(await ask(path, { cmd: 'release' })).toEqual({ ok: true })
    expect(await waiting).toEqual({ ok: true, released: true })
  })

  it('that leave while they wait are noticed', async () => {
    const { path, server } = await serve()
    const { socket } = await client(path)
    socket.write('{"cmd":"hold"}\n')
    await server.line('held')
    socket.destroy()
    await server.line('gone')
  })

  it('that never read cost one answer, and nothing is done for them meanwhile', async () => {
    const { path, server } = await serve()
    const { socket } = await client(path)
    socket.pause()
    socket.write(`{"cmd":"big"}\n${'{"cmd":"echo","name":"never"}\n'.repeat(1000)}`)
    const flooded = await client(path)
    flooded.socket.pause()
    flooded.socket.write('{"cmd":"flood"}\n')
    for (let n = 0; n < 50; n++) await ask(path, { cmd: 'echo', name: `turn${n}` })
    await server.line('echo turn49')
    expect(server.stdout).not.toContain('never')
    flooded.socket.destroy()
    const [, sent] = await server.line(/^flood ended after (\d+)$/)
    expect(Number(sent)).toBeLessThan(20)
    expect(server.stdout).not.toContain('flooded')
    socket.destroy()
  })

  it('that are silent make room for others when all places are taken', async () => {
    const { path } = await serve(undefined, { most: 4 })
    const silent = await Promise.all([1, 2, 3, 4].map(() => client(path)))
    const closed = Promise.race(silent.map(({ socket }) => once(socket, 'close')))
    expect(await ask(path, { cmd: 'echo' })).toEqual({ ok: true })
    await closed
    for (const { socket } of silent) socket.destroy()
  })

  it('that wait for an answer stay when others are silent', async () => {
    const { path, server } = await serve(undefined, { most: 2 })
    const waiting = ask(path, { cmd: 'hold' }, { silence: null })
    await server.line('held')
    const { socket } = await client(path)
    expect(await ask(path, { cmd: 'release' })).toEqual({ ok: true })
    expect(await waiting).toEqual({ ok: true, released: true })
    socket.destroy()
  })

  it('that send without end and without a newline are hung up on', async () => {
    const { path } = await serve()
    const { socket, line } = await client(path)
    const pump = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(1_000_000, 'x')));
    }
    socket.on('drain', pump)
    pump()
    expect(JSON.parse((await line())[0]!).error).toContain('at most 65536 bytes')
    socket.destroy()
  })

  it('that come when it stops are told so', async () => {
    const { path, server } = await serve()
    const waiting = ask(path, { cmd: 'hold' })
    await server.line('held')
    server.signal('SIGTERM')
    expect(await waiting).toEqual({ ok: false, error: 'monoceros is stopping' })
    await server.ended()
  })

  it('of another uid are refused, even where the file mode would let them in', async () => {
    const directory = folder()
    chmodSync(directory, 0o777)
    const { path } = await serve(join(directory, 's'), { mode: 0o666 })
    const stranger = await run('setpriv', [
      '--reuid=65534',
      '--clear-groups',
      'socat',
      '-t',
      '5',
      '-',
      `UNIX-CONNECT:${path}`,
    ])
    expect(JSON.parse(stranger.stdout)).toEqual({ ok: false, error: 'uid 65534 may not give commands here: only root' })
    expect(await ask(path, { cmd: 'echo' })).toEqual({ ok: true })
  })

  it('of the server’s own uid and of root are not', async () => {
    const directory = folder()
    chmodSync(directory, 0o777)
    const { path } = await serve(join(directory, 's'), { uid: 65534 })
    const own = `printf '{"cmd":"echo"}\\n' | socat -t 5 - UNIX-CONNECT:${path}`
    expect((await run('setpriv', ['--reuid=65534', '--clear-groups', 'sh', '-c', own])).stdout).toBe('{"ok":true}\n')
    expect(await ask(path, { cmd: 'echo' })).toEqual({ ok: true })
  })
})

describe('asking', () => {
  it('says in one line what is wrong where nobody answers', async () => {
    const directory = folder()
    await expect(ask(join(directory, 'none'), { cmd: 'x' })).rejects.toThrow('there is no control socket at')
    const { path, server } = await serve()
    server.signal('SIGKILL')
    await server.ended()
    await expect(ask(path, { cmd: 'x' })).rejects.toThrow(
      `nobody listens at ${path}: monoceros is not running any more`,
    )
    await expect(ask(`/${'x'.repeat(200)}`, { cmd: 'x' })).rejects.toThrow('has 201 bytes')
  })

  it('does not wait for ever for a server that is stopped', async () => {
    const { path, server } = await serve()
    server.signal('SIGSTOP')
    await expect(ask(path, { cmd: 'echo' }, { silence: 50 })).rejects.toThrow('has not answered for 0.05 s')
    server.signal('SIGCONT')
  })

  it('does not take another protocol for an answer', async () => {
    const path = join(folder(), 's')
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\n')).listen(path)
    await once(other, 'listening')
    await expect(ask(path, { cmd: 'x' })).rejects.toThrow('not an answer of monoceros')
    other.close()
  })
})
