/** npm's install step: a prebuilt binary that loads is enough; otherwise the compiler is the second way. */
const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const { dirname, join } = require('node:path')

const prebuilt = join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'monoceros.node')
let loads = false
try {
  require(prebuilt)
  loads = true
} catch {}
if (!loads) process.exit(spawnSync('node-gyp', ['rebuild', ...headers()], { stdio: 'inherit' }).status ?? 1)

/** The headers that came with this very Node, where they did: node-gyp would fetch them, and not every machine reaches nodejs.org. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  const chosen = process.env.npm_config_nodedir
  return !chosen && existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : []
}
