import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { workingFolder } from '../../lib/system/working-folder.ts'
import { temporaryFolder } from '../support/folder.ts'

describe('the working folder', () => {
  const before = process.cwd()
  const folder = temporaryFolder()
  beforeAll(() => {
    mkdirSync(join(folder, 'real'))
    mkdirSync(join(folder, 'other'))
    symlinkSync('real', join(folder, 'link'))
    process.chdir(join(folder, 'real'))
  })
  afterAll(() => process.chdir(before))

  it.each([
    ['is the link that PWD names', 'link', 'link'],
    ['is the real one where PWD is another folder', 'other', 'real'],
    ['is the real one where PWD does not exist', 'nowhere', 'real'],
  ])('%s', (_, named, found) => {
    expect(workingFolder({ PWD: join(folder, named) })).toBe(join(folder, found))
  })

  it('is the real one without PWD, and where that is not absolute', () => {
    expect(workingFolder({})).toBe(join(folder, 'real'))
    expect(workingFolder({ PWD: '.' })).toBe(join(folder, 'real'))
  })
})
