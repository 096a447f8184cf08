import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adoptPidfile, claimPidfile } from '../../lib/system/pidfile.ts'
import { pid } from '../../lib/units.ts'
import { temporaryFolder } from '../support/folder.ts'

/** A lock that nobody else wants; the real one is tested with real processes. */
const free = { lock: (): 0 => 0 }

test('The pid stands in the file until it is released.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  const pidfile = claimPidfile(path, free, 4711)
  expect(readFileSync(path, 'utf8')).toBe('4711\n')
  pidfile.release()
  pidfile.release()
  expect(existsSync(path)).toBe(false)
})

test('A stale file is taken over, a longer number in it included.', () => {
  const path = join(temporaryFolder({ 'server.pid': '4194304\n' }), 'server.pid')
  const pidfile = claimPidfile(path, free, 1)
  expect(readFileSync(path, 'utf8')).toBe('1\n')
  pidfile.release()
})

test('The file of a living process is left alone, and the error names it.', () => {
  const path = join(temporaryFolder({ 'server.pid': '77\n' }), 'server.pid')
  expect(() => claimPidfile(path, { lock: () => pid(77) })).toThrow(
    `pidfile: ${path} is held by process 77, which is alive; stop it or set another file`,
  )
  expect(readFileSync(path, 'utf8')).toBe('77\n')
})

test('A holder in another pid namespace has no number to name.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  expect(() => claimPidfile(path, { lock: () => pid(-1) })).toThrow('is held by a process, which is alive')
})

test('A file that vanishes between opening and locking is not the one that is claimed.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  let attempts = 0
  const lock = (): 0 => {
    attempts += 1
    if (attempts < 3) rmSync(path)
    return 0
  }
  const pidfile = claimPidfile(path, { lock }, 12)
  expect(attempts).toBe(3)
  expect(readFileSync(path, 'utf8')).toBe('12\n')
  pidfile.release()
})

test('A file that always vanishes ends with an error, not in a loop.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  const lock = (): 0 => {
    rmSync(path)
    return 0
  }
  expect(() => claimPidfile(path, { lock })).toThrow('is replaced again and again')
})

test('A file that somebody else has put there since is not unlinked.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  const pidfile = claimPidfile(path, free)
  // Two files at once cannot have one inode; one after the other they can.
  writeFileSync(`${path}.new`, '99\n')
  rmSync(path)
  const theirs = claimPidfile(`${path}.new`, free, 99)
  theirs.rename(path)
  pidfile.release()
  expect(readFileSync(path, 'utf8')).toBe('99\n')
  theirs.release()
  expect(existsSync(path)).toBe(false)
})

test('A file with anything but a number in it is no pidfile and keeps its content.', () => {
  const path = join(temporaryFolder({ 'server.js': "'use strict'\n" }), 'server.js')
  expect(() => claimPidfile(path, free)).toThrow(`pidfile: ${path} holds something else than a pid`)
  expect(readFileSync(path, 'utf8')).toBe("'use strict'\n")
})

test('A link, a folder and a missing folder are errors that name the path and the reason.', () => {
  const folder = temporaryFolder({ 'target.pid': '' })
  symlinkSync(join(folder, 'target.pid'), join(folder, 'link.pid'))
  expect(() => claimPidfile(join(folder, 'link.pid'), free)).toThrow(`cannot open ${folder}/link.pid: ELOOP`)
  expect(() => claimPidfile(folder, free)).toThrow(`cannot open ${folder}: EISDIR`)
  expect(() => claimPidfile(join(folder, 'no', 'x.pid'), free)).toThrow(`cannot open ${folder}/no/x.pid: ENOENT`)
})

test('A pidfile that was kept over an execve is released like one of our own.', () => {
  const path = join(temporaryFolder(), 'server.pid')
  const before = claimPidfile(path, free)
  const after = adoptPidfile(path, before.fd)
  after.release()
  expect(existsSync(path)).toBe(false)
})
