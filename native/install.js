/** npm's install step: a prebuilt binary that loads is enough; otherwise the compiler is the second way. */
const { spawnSync } = require('node:child_process')
const { join } = require('node:path')
const { headers } = require('./headers.js')

const prebuilt = join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'monoceros.node')
let loads = false
try {
  require(prebuilt)
  loads = true
} catch {}
if (!loads) {
  const nodedir = headers()
  const args = ['rebuild', ...(nodedir ? [`--nodedir=${nodedir}`] : [])]
  process.exit(spawnSync('node-gyp', args, { stdio: 'inherit' }).status ?? 1)
}
