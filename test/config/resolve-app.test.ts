import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { resolveApp } from '../../lib/config/resolve-app.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder({
  'server.js': '',
  tool: '',
  'mod.mjs': '',
  'typed.ts': '',
  'both.js': '',
  'both.ts': '',
  'pack/package.json': '{"main": "lib/main"}',
  'pack/lib/main.js': '',
  'plain/index.mjs': '',
  'broken/package.json': '{',
  'empty/x': '',
})
const find = (file: string) => resolveApp({ file, export: null }, folder)

test.each([
  ['server.js', 'server.js'],
  ['./server.js', 'server.js'],
  ['server', 'server.js'],
  ['mod', 'mod.mjs'],
  ['typed', 'typed.ts'],
  ['both', 'both.js'],
  ['tool', 'tool'],
  ['pack', 'pack/lib/main.js'],
  ['plain', 'plain/index.mjs'],
  ['plain/', 'plain/index.mjs'],
])('%s is %s', (name, file) => {
  expect(find(name)).toEqual({ kind: 'found', app: { file: `${folder}/${file}`, export: null } })
})

test('an absolute path and an export stay as they are', () => {
  expect(resolveApp({ file: `${folder}/server.js`, export: 'main' }, '/')).toEqual({
    kind: 'found',
    app: { file: `${folder}/server.js`, export: 'main' },
  })
})

test('what is not there is named with where it was looked for', () => {
  const missing = (name: string, text: string) =>
    expect(find(name)).toEqual({ kind: 'missing', text: `${name}: ${text}` })
  missing('none.js', `no such file (${folder}/none.js)`)
  missing('../none.js', `no such file (${join(folder, '..')}/none.js)`)
  missing('server.js/x', `no such file (${folder}/server.js/x)`)
  for (const name of ['empty', 'broken'])
    missing(name, 'is a folder without an entry (package.json "main", or an index file)')
})

test('what may not be read is named', () => {
  chmodSync(folder, 0o755)
  chmodSync(`${folder}/tool`, 0)
  const own = process.geteuid!()
  // Root may read everything.
  if (own === 0) process.seteuid!(65_534)
  try {
    expect(find('tool')).toEqual({ kind: 'missing', text: `tool: no permission to read ${folder}/tool` })
  } finally {
    if (own === 0) process.seteuid!(own)
  }
})
