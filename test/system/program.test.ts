import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../lib/system/program.ts'
import { temporaryFolder } from '../support/folder.ts'

describe('a program', () => {
  const folder = temporaryFolder({ 'one/tool': '', 'two/tool': '', 'two/other': '', 'one/text': '' })
  for (const name of ['two/tool', 'two/other']) chmodSync(join(folder, name), 0o755)
  mkdirSync(join(folder, 'one/other'))
  const path = `${folder}/one:${folder}/two`

  it('is the first one in PATH that may be executed, and no folder', () => {
    expect(findProgram('tool', path, '/')).toBe(join(folder, 'two/tool'))
    expect(findProgram('other', path, '/')).toBe(join(folder, 'two/other'))
  })

  it('is relative to the working directory where it has a slash, and so are parts of PATH', () => {
    expect(findProgram('two/tool', undefined, folder)).toBe(join(folder, 'two/tool'))
    expect(findProgram('./tool', undefined, join(folder, 'two'))).toBe(join(folder, 'two/tool'))
    expect(findProgram('tool', 'two', folder)).toBe(join(folder, 'two/tool'))
    expect(findProgram('tool', '', join(folder, 'two'))).toBe(join(folder, 'two/tool'))
  })

  it('is taken as it is where its path is absolute', () => {
    expect(findProgram('/no/such', undefined, '/')).toBe('/no/such')
  })

  it('is found without a PATH where every machine has it', () => {
    expect(findProgram('sh', undefined, '/')).toMatch(/\/sh$/)
  })

  it('that is not there is named, with the PATH', () => {
    expect(() => findProgram('text', path, '/')).toThrow(`there is no program "text" in PATH (${path})`)
  })
})
