import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const BINARY = join(__dirname, '../../build/Release/monoceros.node')

/** Of Node 20 and later (BUILDING.md): where Node runs, the shipped binary must load. */
const NEWEST_GLIBC = 28
const NEWEST_GLIBCXX = 25

describe('the binary', () => {
  const symbols = execFileSync('nm', ['-D', '--undefined-only', BINARY], { encoding: 'utf8' })

  it('asks for no newer glibc or libstdc++ than Node does', () => {
    const newest = (pattern: RegExp) => Math.max(...[...symbols.matchAll(pattern)].map((match) => Number(match[1])))
    expect(newest(/@GLIBC_2\.(\d+)/g)).toBeLessThanOrEqual(NEWEST_GLIBC)
    expect(newest(/@GLIBCXX_3\.4\.(\d+)/g)).toBeLessThanOrEqual(NEWEST_GLIBCXX)
  })

  it('uses nothing of V8 directly, whose binary interface changes with each version of Node', () => {
    expect(symbols).not.toMatch(/_ZN2v8|_ZN4node/)
  })
})
