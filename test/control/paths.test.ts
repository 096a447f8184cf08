import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  arbiterSocket,
  instanceName,
  instanceOf,
  makePlace,
  managerSocket,
  pathProblem,
  socketPlace,
} from '../../lib/control/paths.ts'

const uid = process.getuid!()
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paths-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the sockets stand', () => {
  it('where systemd made a directory for the service, the first of several', () => {
    expect(socketPlace({ RUNTIME_DIRECTORY: '/run/shop:/run/other', XDG_RUNTIME_DIR: folder }, uid, '/t')).toEqual({
      directory: '/run/shop',
      ours: false,
    })
  })

  it("else in the user's runtime directory, where it is the user's", () => {
    expect(socketPlace({ XDG_RUNTIME_DIR: folder }, uid, '/t').directory).toBe(join(folder, 'monoceros'))
    expect(socketPlace({ XDG_RUNTIME_DIR: folder }, uid + 1, '/t').directory).toBe(`/t/monoceros-${uid + 1}`)
    expect(socketPlace({ XDG_RUNTIME_DIR: join(folder, 'none') }, uid, '/t').directory).toBe(`/t/monoceros-${uid}`)
  })

  it("else in a directory of the user's own under the temporary one", () => {
    expect(socketPlace({}, uid, '/t')).toEqual({ directory: `/t/monoceros-${uid}`, ours: true })
  })
})

describe('the directory', () => {
  it('is made for its owner alone, and taken again', () => {
    const place = { directory: join(folder, 'm'), ours: true }
    makePlace(place, uid)
    makePlace(place, uid)
    expect(statSync(place.directory).mode & 0o777).toBe(0o700)
  })

  it('is refused where others may write, where it is a link or a file, or somebody else’s', () => {
    const place = { directory: join(folder, 'm'), ours: true }
    mkdirSync(place.directory)
    chmodSync(place.directory, 0o755)
    expect(() => makePlace(place, uid)).toThrow(`${place.directory} has mode 755: it must be 700`)
    chmodSync(place.directory, 0o700)
    expect(() => makePlace(place, uid + 1)).toThrow(`${place.directory} belongs to uid ${uid}, not to uid ${uid + 1}`)
    symlinkSync(place.directory, join(folder, 'link'))
    expect(() => makePlace({ directory: join(folder, 'link'), ours: true }, uid)).toThrow('is not a directory')
    writeFileSync(join(folder, 'file'), '')
    expect(() => makePlace({ directory: join(folder, 'file'), ours: true }, uid)).toThrow('is not a directory')
    expect(() => makePlace({ directory: join(folder, 'a/b'), ours: true }, uid)).toThrow('ENOENT')
  })
})

describe('an instance', () => {
  it('is named by procName, without what a file name must not hold', () => {
    expect(instanceName('shop', null, '/srv')).toBe('shop')
    expect(instanceName('../a b.companions', null, '/srv')).toBe('___a_b_companions')
  })

  it('is else told apart by its configuration and its working directory', () => {
    const names = [instanceName(null, null, '/a'), instanceName(null, null, '/b'), instanceName(null, '/a/c.mjs', '/a')]
    expect(new Set(names).size).toBe(3)
    expect(instanceName(null, null, '/a')).toBe(names[0])
  })

  it('is found again in the name of its socket', () => {
    expect(instanceOf('shop.sock')).toBe('shop')
    expect(instanceOf('shop.companions.sock')).toBeNull()
    expect(instanceOf('shop.sock.lock')).toBeNull()
    expect([arbiterSocket('/d', 'shop'), managerSocket('/d', 'shop')]).toEqual([
      '/d/shop.sock',
      '/d/shop.companions.sock',
    ])
  })
})

describe('a path', () => {
  it('has at most 107 bytes', () => {
    expect(pathProblem(`/${'x'.repeat(106)}`)).toBeNull()
    expect(pathProblem(`/${'x'.repeat(107)}`)).toContain(
      'has 108 bytes: a socket’s path has at most 107'.replace('’', "'"),
    )
    expect(pathProblem(`/${'ä'.repeat(60)}`)).toContain('121 bytes')
    expect(pathProblem('/a\0b')).toContain('NUL')
  })
})
