import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killLeftovers, leftovers } from '../../lib/system/leftovers.ts'
import { parseStat, processStat, sessionMembers } from '../../lib/system/processes.ts'
import { pid } from '../../lib/units.ts'

/** A line of /proc/PID/stat with the fields that matter. */
const stat = (of: number, state: string, session: number, start: number, command = 'x'): string =>
  `${of} (${command}) ${state} 1 ${of} ${session} 0 -1 4194560 1 2 3 4 55 66 0 0 20 0 1 0 ${start} 1000 77 18446744073709551615`

describe('a process as /proc shows it', () => {
  it('is read although its command holds parentheses and spaces', () => {
    expect(parseStat(stat(42, 'S', 7, 900, 'a) R (b'))).toEqual({
      pid: 42,
      command: 'a) R (b',
      state: 'S',
      parent: 1,
      group: 42,
      session: 7,
      userTicks: 55,
      systemTicks: 66,
      start: 900,
      rssPages: 77,
    })
  })

  it('is nothing where the line is none', () => {
    expect(parseStat('')).toBeNull()
    expect(parseStat('no parentheses')).toBeNull()
  })

  it('is nothing where there is no such process', () => {
    expect(processStat(pid(2 ** 30))).toBeNull()
  })

  it('has the start time and parent that the kernel gave it', () => {
    const own = processStat(pid(process.pid))
    expect(own?.parent).toBe(process.ppid)
    expect(own?.start).toBeGreaterThan(0)
  })
})

describe('the members of a session', () => {
  it('are found through a real session, without the leader', async () => {
    const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const [line] = (await once(shell.stdout, 'data')) as [Buffer]
      const found = sessionMembers(new Set([pid(shell.pid!), pid(2 ** 30)]))
      expect(found).toMatchObject([{ pid: Number(String(line)), session: shell.pid }])
    } finally {
      process.kill(-shell.pid!, 'SIGKILL')
    }
  })
})

describe('what a dead manager left', () => {
  let proc: string
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'))
  })
  afterEach(() => rmSync(proc, { recursive: true }))
  const running = (of: number, state: string, session: number, start: number): void => {
    mkdirSync(join(proc, String(of)))
    writeFileSync(join(proc, String(of), 'stat'), stat(of, state, session, start))
  }

  it('is the leader and the members of a noted session, and nobody else', () => {
    running(100, 'S', 100, 500)
    running(101, 'S', 100, 501)
    running(102, 'Z', 100, 502)
    running(200, 'S', 200, 500)
    const killed: number[] = []
    const found = killLeftovers(
      [{ id: pid(100), start: 500 }],
      (_session, one, signal) => killed.push(one) > 0 && signal === 'SIGKILL',
      proc,
    )
    expect(found).toEqual([100, 101])
    expect(killed).toEqual([100, 101])
  })

  it('is found although the leader is gone', () => {
    running(101, 'S', 100, 501)
    expect(leftovers([{ id: pid(100), start: 500 }], proc).map((one) => one.pid)).toEqual([101])
  })

  it('is not a stranger who was given the number later, nor his session', () => {
    running(100, 'S', 100, 900)
    running(101, 'S', 100, 901)
    expect(leftovers([{ id: pid(100), start: 500 }], proc)).toEqual([])
  })

  it('is not a process that started before the session did', () => {
    running(101, 'S', 100, 499)
    expect(leftovers([{ id: pid(100), start: 500 }], proc)).toEqual([])
  })
})
