import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFilesAtStart } from '../../lib/system/open-files.ts'
import { temporaryFolder } from '../support/folder.ts'

type Process = { readonly parent: number; readonly exe: string; readonly limit: string }

/** A /proc with these processes. */
function proc(processes: Readonly<Record<number, Process>>): string {
  const folder = temporaryFolder()
  for (const [pid, { parent, exe, limit }] of Object.entries(processes)) {
    mkdirSync(join(folder, pid))
    writeFileSync(join(folder, pid, 'status'), `Name:\tx\nPPid:\t${parent}\n`)
    writeFileSync(join(folder, pid, 'limits'), `Limit  Soft  Hard  Units\nMax open files            ${limit}  files\n`)
    symlinkSync(exe, join(folder, pid, 'exe'))
  }
  return folder
}
const node = (parent: number, limit = '20000   20000') => ({ parent, exe: '/opt/bin/node', limit })
const shell = (parent: number, limit: string) => ({ parent, exe: '/bin/dash', limit })

describe('the limit of open files that Node was started with', () => {
  it('is that of the shell that started it', () => {
    expect(openFilesAtStart(9, proc({ 9: node(8), 8: shell(1, '1024  20000') }))).toEqual({ soft: 1024, hard: 20000 })
  })

  it('is that of the shell behind other Nodes', () => {
    const found = openFilesAtStart(9, proc({ 9: node(8), 8: node(7), 7: shell(1, '1024  20000') }))
    expect(found).toEqual({ soft: 1024, hard: 20000 })
  })

  it.each([
    ['where the shell has another hard limit', { 9: node(8), 8: shell(1, '1024  4096') }],
    ['where the shell has the same', { 9: node(8), 8: shell(1, '20000  20000') }],
    ['where there is no limit', { 9: node(8), 8: shell(1, 'unlimited  unlimited') }],
    ['where nobody is above', { 9: node(0) }],
    ['where the one above cannot be looked at', { 9: node(8) }],
  ])('is unknown %s', (_, processes) => {
    expect(openFilesAtStart(9, proc(processes as Record<number, Process>))).toBeNull()
  })
})
