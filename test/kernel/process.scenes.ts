/** This process, and signals to others. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { pid } from '../../lib/units.ts'
import { scratch } from '../support/scratch.ts'
import { ended, output, planOf, shell, WITH_KERNEL } from './children.ts'
import { realKernel } from './real.ts'

/** A Node with the kernel that plays this code. */
const node = (code: string): string[] => [process.execPath, '-e', WITH_KERNEL + code]

export const scenes = {
  'a signal reaches a child, and a pid of another is left alone': async () => {
    const kernel = realKernel()
    const child = kernel.spawn(planOf(['/bin/sleep', '1000']))
    const grandparent = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]
    for (const other of [process.ppid, Number(grandparent)].filter((one) => one > 1))
      assert.equal(kernel.kill(pid(other), 'SIGTERM'), false)
    assert.equal(kernel.kill(child, 'SIGTERM'), true)
    assert.equal((await ended(kernel, child)).signal, 'SIGTERM')
    assert.equal(kernel.kill(child, 'SIGTERM'), false)
  },

  'a core dump is told': async () => {
    const kernel = realKernel()
    const limits = [{ resource: 'CORE', soft: null, hard: null }]
    const child = kernel.spawn(shell('kill -ABRT $$', { cwd: scratch(), limits }))
    const exit = await ended(kernel, child)
    assert.equal(exit.signal, 'SIGABRT')
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
    if (!pattern.startsWith('|')) assert.equal(exit.core, pattern.trim() !== '')
  },

  'what a child used is told': async () => {
    const kernel = realKernel()
    const exit = await ended(kernel, kernel.spawn(shell('i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done')))
    assert(exit.usage.userMs + exit.usage.systemMs >= 5)
    assert(exit.usage.maxRssKib > 100)
  },

  'the name is shown by ps': () => {
    realKernel().setProcessName('mono: a name')
    assert.equal(readFileSync('/proc/self/comm', 'utf8'), 'mono: a name\n')
    assert.match(readFileSync('/proc/self/cmdline', 'utf8'), /^mono: a name/)
  },

  'a lock that another process holds names it, and is ours when that ends': async () => {
    const kernel = realKernel()
    const path = `${scratch()}/pid`
    const file = kernel.openAppend(path)
    const code = `${WITH_KERNEL} kernel.lock(kernel.openAppend(${JSON.stringify(path)})); console.log('locked'); process.stdin.resume()`
    const holder = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    assert.equal(kernel.lock(file), holder.pid)
    holder.stdin.end()
    await once(holder, 'exit')
    assert.equal(kernel.lock(file), 0)
  },

  'execve keeps the pid and the descriptors that it is told to keep': async () => {
    const kernel = realKernel()
    const code = `
      const [kept, lost] = [kernel.dup(2), kernel.dup(2)]
      console.log(process.pid, kept, lost)
      const script = 'echo $$ $ONE $HOME; for fd do [ -e /proc/$$/fd/$fd ] && echo yes || echo no; done'
      kernel.execve('/bin/sh', ['sh', '-c', script, 'x', String(kept), String(lost)], { ONE: '1' }, [0, 1, 2, kept])`
    const [before, after, kept, lost] = (await output(kernel, node(code))).split('\n')
    assert.deepEqual([after, kept, lost], [`${before!.split(' ')[0]} 1`, 'yes', 'no'])
  },

  'an execve that fails leaves the flags as they were': () => {
    const kernel = realKernel()
    const file = kernel.dup(2 as never)
    const flags = () => /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'))![1]
    const before = flags()
    assert.throws(() => kernel.execve('/no/such/file', ['x'], {}, [file]), { code: 'ENOENT' })
    assert.equal(flags(), before)
  },

  'exit ends the process without its exit handlers': async () => {
    const kernel = realKernel()
    const code = "process.on('exit', () => console.log('never')); kernel.exit(9)"
    const { read, write } = kernel.pipe()
    const child = kernel.spawn(planOf(node(code), { more: [{ from: write, to: 1 }] }))
    kernel.close(write)
    assert.equal((await ended(kernel, child)).code, 9)
    assert.equal(readFileSync(read, 'utf8'), '')
  },

  'a subreaper adopts the orphans of its descendants': async () => {
    const kernel = realKernel()
    kernel.becomeSubreaper()
    const [ours, theirs] = kernel.channelPair()
    const orphan = 'echo $$ >&3; exec sleep 1000'
    const child = kernel.spawn(shell(`(exec sh -c '${orphan}') & exit 0`, { more: [{ from: theirs, to: 3 }] }))
    assert.equal((await ended(kernel, child)).code, 0)
    const said = kernel.receiveNow(ours, 10_000 as never)
    assert(said !== null && said !== 'end')
    const adopted = pid(Number(said.data))
    assert.equal(kernel.kill(adopted, 'SIGKILL'), true)
    assert.equal((await ended(kernel, adopted)).signal, 'SIGKILL')
  },

  'a datagram whose descriptors do not fit into our table is refused whole': () => {
    const kernel = realKernel()
    const [a, b] = kernel.channelPair()
    kernel.send(a, Buffer.from('x'), [a, a, a])
    const open = kernel.listFds()
    // Room for one of three, on condition that the numbers below are taken.
    let last = kernel.dup(a)
    while (last < open.at(-1)!) last = kernel.dup(a)
    kernel.setLimit({ resource: 'NOFILE', soft: last + 2, hard: kernel.getLimit('NOFILE').hard })
    const before = kernel.listFds()
    assert.throws(() => kernel.receive(b), { code: 'EMFILE' })
    assert.deepEqual(kernel.listFds(), before)
    kernel.close(last)
    kernel.send(a, Buffer.from('y'))
    assert.equal(kernel.receive(b) === null, false)
  },

  'a stream socket takes what fits and is not made to block or not to': async () => {
    const kernel = realKernel()
    const script = 'dd bs=1000 count=1 2>/dev/null | wc -c; cat > /dev/null'
    const reader = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const socket = (reader.stdin as never as { _handle: { fd: number } })._handle.fd as never
    assert.equal(kernel.writeNow(socket, Buffer.alloc(1000)), 1000)
    assert.equal(String((await once(reader.stdout, 'data'))[0]).trim(), '1000')
    reader.kill('SIGSTOP')
    let written = 0
    for (let now = 1; now > 0; written += now) now = kernel.writeNow(socket, Buffer.alloc(65536))
    assert(written > 0)
    reader.kill('SIGKILL')
    await once(reader, 'exit')
  },

  'a datagram goes to a socket by its path or its abstract name': async () => {
    const kernel = realKernel()
    for (const [bind, path] of [
      [`${scratch()}/notify`, null],
      [`\0mono-${process.pid}`, `@mono-${process.pid}`],
    ] as const) {
      const code = `
import socket
one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
one.bind(${JSON.stringify(bind)})
print("bound", flush=True)
print(one.recv(100).decode())`
      const reader = spawn('python3', ['-c', code], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]()
      assert.equal((await lines.next()).value, 'bound')
      kernel.notify(path ?? bind, 'READY=1')
      assert.equal((await lines.next()).value, 'READY=1')
      await once(reader, 'exit')
    }
    assert.throws(() => kernel.notify('/no/such/socket', 'x'), { code: 'ENOENT' })
  },
}

/** These also where there are no pidfds. */
export const kills = Object.fromEntries(
  (['a signal reaches a child, and a pid of another is left alone'] as const).map((title) => [title, scenes[title]]),
)

/** Spawns a child that is to die with us, says its pid, and waits to be killed. */
export const parents = {
  'waits with a child': () => live({}),
  'waits with a child of another user': () => live({ uid: 65534, gid: 65534, groups: [] }),
}

function live(extra: object): void {
  const child = realKernel().spawn(planOf(['/bin/sleep', '1000'], { parentDeathSignal: 'SIGKILL', ...extra }))
  console.log(`child ${child}`)
  setInterval(() => {}, 1000)
}
