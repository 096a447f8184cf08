import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '../../lib/log/log.ts'
import { openSink } from '../../lib/log/sink.ts'
import { temporaryFolder } from '../support/folder.ts'
import { start, startNode } from '../support/process.ts'
import { until } from '../support/until.ts'

const FLOOD = join(__dirname, 'flood.js')
const numbers = (text: string): number[] => [...text.matchAll(/ number=(\d+)$/gm)].map((match) => Number(match[1]))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

/** A pipe whose reading end does not block; the writing end does, as a shell's would. */
function pipe(): { read: number; write: number } {
  const path = join(temporaryFolder(), 'pipe')
  execFileSync('mkfifo', [path])
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { read, write: openSync(path, constants.O_WRONLY) }
}

function readAvailable(fd: number): string {
  const buffer = Buffer.alloc(1 << 20)
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return ''
    throw error
  }
}

async function readUntil(fd: number, text: string): Promise<string> {
  let all = ''
  while (!all.includes(text)) {
    all += readAvailable(fd)
    await new Promise(setImmediate)
  }
  return all
}

/** The flood's descriptor 3 is its output here: descriptors 1 and 2 are what is tested. */
const speaking = ['pipe', 'pipe', 'pipe', 'pipe'] as const

test('A pipe that nobody reads does not block; what does not fit is dropped, counted, and said once it drains.', async () => {
  const { read, write } = pipe()
  const flood = startNode(FLOOD, ['fd:1', '3000', '100', '100000'], { stdio: ['pipe', write, 'pipe', 'pipe'] })
  let said = ''
  flood.child.stdio[3]!.on('data', (data) => {
    said += data
  })
  await until(() => said.includes('\n'))
  const dropped = Number(/dropped=(\d+)/.exec(said)![1])
  expect(dropped).toBeGreaterThan(0)

  const text = await readUntil(read, 'log lines were dropped')
  expect(text).toContain(`warning  arbiter[${flood.pid}] log lines were dropped lines=${dropped}\n`)
  expect(numbers(text)).toEqual(upTo(3000 - dropped))

  // The flag belongs to the open file description, which the shell that started us shares.
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${write}`, 'utf8'))![1]!
  expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0)

  flood.child.stdin!.write('go on\n')
  expect(await readUntil(read, 'after')).toContain(`after dropped=${dropped}\n`)
  expect(await flood.ended()).toEqual({ code: 0, signal: null })
  closeSync(read)
  closeSync(write)
})

test('A socket that nobody reads does not block either, and keeps its flags.', async () => {
  // Node's own pipes are sockets, as is the journal's.
  const flood = startNode(FLOOD, ['fd:1', '20000', '100', '100000', 'socket'], { stdio: [...speaking] })
  flood.child.stdout!.pause()
  const [said] = await once(flood.child.stdio[3]!, 'data')
  const dropped = Number(/dropped=(\d+)/.exec(String(said))![1])
  expect(dropped).toBeGreaterThan(0)
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${flood.pid}/fdinfo/1`, 'utf8'))![1]!
  expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0)
  flood.child.stdout!.resume()
  await flood.line(`log lines were dropped lines=${dropped}`)
  expect(numbers(flood.stdout)).toEqual(upTo(20000 - dropped))
  flood.child.stdin!.write('go on\n')
  await flood.ended()
})

test('Lines larger than the pipe come out whole and in order.', async () => {
  const { read, write } = pipe()
  const flood = startNode(FLOOD, ['fd:1', '8', '100000'], { stdio: ['pipe', write, 'pipe', 'pipe'] })
  const text = await readUntil(read, 'number=7\n')
  const lines = text.trimEnd().split('\n')
  expect(lines.map((line) => /^.{24} info {5}arbiter\[\d+\] x{100000} number=\d$/.test(line))).toEqual(
    Array(8).fill(true),
  )
  expect(numbers(text)).toEqual(upTo(8))
  flood.child.stdin!.write('go on\n')
  await flood.ended()
  closeSync(read)
  closeSync(write)
})

test('A pipe whose reader is gone stops nothing and is reported once.', async () => {
  const { read, write } = pipe()
  closeSync(read)
  const flood = startNode(FLOOD, ['fd:1', '50', '10'], { stdio: ['pipe', write, 'pipe', 'pipe'] })
  await flood.line('cannot write to descriptor 1: EPIPE')
  flood.child.stdin!.write('go on\n')
  expect(await flood.ended()).toEqual({ code: 0, signal: null })
  expect(flood.stderr.match(/EPIPE/g)).toHaveLength(1)
  closeSync(write)
})

test('A full disk stops nothing and is reported once.', async () => {
  const flood = startNode(FLOOD, ['/dev/full', '50', '10'], { stdio: [...speaking] })
  await flood.line('cannot write to /dev/full: ENOSPC; lines are dropped until it works again')
  flood.child.stdin!.write('go on\n')
  expect(await flood.ended()).toEqual({ code: 0, signal: null })
  expect(flood.stderr.match(/ENOSPC/g)).toHaveLength(2) // once, and once more after it was reopened
})

test('A file that stops growing in the middle of a line is complete again after a rotation.', async () => {
  const file = join(temporaryFolder(), 'error.log')
  const flood = start('bash', ['-c', `ulimit -f 1; exec "$0" "$@"`, process.execPath, FLOOD, file, '50', '100'], {
    stdio: [...speaking],
  })
  await flood.line(`cannot write to ${file}: EFBIG`)
  await new Promise((resolve) => flood.child.stdio[3]!.once('data', resolve))
  expect(readFileSync(file)).toHaveLength(1024)
  renameSync(file, `${file}.1`)
  flood.child.stdin!.write('go on\n')
  await flood.ended()
  const lines = readFileSync(file, 'utf8').split('\n')
  expect(lines[0]).toBe('')
  expect(lines[1]).toMatch(/ log lines were dropped lines=4\d$/)
  expect(lines[2]).toMatch(/ info {5}arbiter\[\d+\] after dropped=4\d$/)
})

test('A file is opened anew by reopen, and kept when that is not possible.', () => {
  const folder = temporaryFolder({ 'logs/error.log': 'before\n' })
  const file = join(folder, 'logs', 'error.log')
  const told: string[] = []
  const log = createLog({ file, role: 'arbiter', onTrouble: (line) => told.push(line) })
  log.info('one')
  renameSync(join(folder, 'logs'), join(folder, 'old'))
  log.reopen()
  log.info('two')
  expect(readFileSync(join(folder, 'old', 'error.log'), 'utf8')).toMatch(/^before\n.* one\n.* two\n$/)
  expect(told).toEqual([expect.stringContaining(`cannot reopen ${file}: ENOENT`)])
  renameSync(join(folder, 'old'), join(folder, 'logs'))
  renameSync(file, `${file}.1`)
  log.reopen()
  log.info('three')
  log.close()
  expect(readFileSync(file, 'utf8')).toMatch(/^\S+ info {5}arbiter\[\d+\] three\n$/)
  expect(log.dropped).toBe(0)
})

test('A socket is written through the given function, and a line that it takes in pieces stays whole.', () => {
  let taken = ''
  let room = 0
  const writeNow = (_: number, data: Uint8Array): number => {
    const part = data.subarray(0, room)
    room -= part.length
    taken += Buffer.from(part).toString()
    return part.length
  }
  // The descriptor itself is never written to: `writeNow` takes it all.
  const sink = openSink({ fd: openSync('/dev/null', 'w'), writeNow, limit: 20 }, (lines) => `dropped ${lines}\n`)
  room = 3
  for (const line of ['first\n', 'second\n', 'third\n', 'fourth\n']) sink.write(line)
  expect(taken).toBe('fir')
  expect(sink.dropped).toBe(1)
  room = 100
  sink.flushNow()
  expect(taken).toBe('first\nsecond\nthird\ndropped 1\n')
})

test('A log of a file that cannot be opened is an error of its caller.', () => {
  const file = join(temporaryFolder(), 'missing', 'error.log')
  expect(() => createLog({ file, role: 'arbiter' })).toThrow('ENOENT')
  expect(existsSync(file)).toBe(false)
})

test('Only events of the level and above are written, and both level and format can change.', () => {
  const file = join(temporaryFolder(), 'error.log')
  const log = createLog({ file, role: 'manager', level: 'warning' })
  log.info('one')
  log.warning('two')
  log.configure({ level: 'debug', format: 'json' })
  log.debug('three')
  log.close()
  const [two, three] = readFileSync(file, 'utf8').split('\n')
  expect(two).toContain('warning  manager')
  expect(JSON.parse(three!)).toMatchObject({ level: 'debug', role: 'manager', message: 'three', pid: process.pid })
})

test('What is done by after is logged when it is done, in its order, also where it throws or the log is flushed.', () => {
  const file = join(temporaryFolder(), 'log')
  const log = createLog({ file, role: 'arbiter' })
  const messages = () => [...readFileSync(file, 'utf8').matchAll(/ (\w+)$/gm)].map(([, word]) => word)
  log.after(() => {
    log.info('one')
    log.after(() => log.info('two'))
    expect(messages()).toEqual([])
  })
  expect(messages()).toEqual(['one', 'two'])
  const failing = () => {
    log.info('three')
    log.flushNow()
    expect(messages()).toHaveLength(3)
    log.info('four')
    throw new Error('it fails')
  }
  expect(() => log.after(failing)).toThrow('it fails')
  log.info('five')
  expect(messages()).toEqual(['one', 'two', 'three', 'four', 'five'])
  log.close()
})
