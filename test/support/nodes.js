/**
 * `npm run test:nodes [-- VERSION... PATTERN...]`: runs the tests that start processes with other versions of Node.
 *
 * The addon is not built again: one binary serves all versions, and what lies in `build/` must be the same before and
 * after.
 */
const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { existsSync, readdirSync, readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')
const { exactVersion, nodeOf, run, VERSIONS } = require('./node-versions.js')

const ROOT = join(__dirname, '..', '..')
const ADDON = join(ROOT, 'build', 'Release', 'monoceros.node')

const asked = process.argv.slice(2)
const versions = asked.filter((argument) => /^\d+$/.test(argument))
const patterns = asked.filter((argument) => !/^\d+$/.test(argument))

run('npm', ['run', '--silent', 'compile'])
const before = digest()
// `npm test` is for the first.
const failed = (versions.length > 0 ? versions : VERSIONS.slice(1)).filter((version) => !test(version))
if (digest() !== before) throw new Error(`${ADDON} was built again`)
if (failed.length > 0) console.error(`failed with Node ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)

function test(version) {
  const node = nodeOf(version)
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  console.log(`== Node ${exactVersion(node)}`)
  const tests = processTests().filter((path) => patterns.length === 0 || patterns.some((part) => path.includes(part)))
  const { status } = spawnSync(node, [jest, '--runTestsByPath', ...tests], { cwd: ROOT, stdio: 'inherit' })
  return status === 0
}

/** Whatever starts a program does so through `process.ts`, by itself or by what it imports, with the Node that runs the test. */
function processTests() {
  const folder = join(ROOT, 'test')
  const known = new Map([[join(folder, 'support', 'process.ts'), true]])
  const starts = (path) => {
    if (known.has(path)) return known.get(path)
    known.set(path, false)
    const imported = [...text(path).matchAll(/from '(\.[^']*\.ts)'/g)].map(([, name]) => join(dirname(path), name))
    const does = imported.some((other) => existsSync(other) && starts(other))
    known.set(path, does)
    return does
  }
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules') && starts(join(folder, name)))
    .map((name) => join('test', name))
}

function text(path) {
  return readFileSync(path, 'utf8')
}

function digest() {
  return createHash('sha256').update(readFileSync(ADDON)).digest('hex')
}
