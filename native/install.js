/** npm's install step: a prebuilt binary that loads is enough; otherwise the compiler is the second way. */
const { spawnSync } = require('node:child_process')
const { join } = require('node:path')

const prebuilt = join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'monoceros.node')
let loads = false
try {
  require(prebuilt)
  loads = true
} catch {}
if (!loads) process.exit(spawnSync('node-gyp', ['rebuild'], { stdio: 'inherit' }).status ?? 1)
