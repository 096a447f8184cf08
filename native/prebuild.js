/** `npm run prebuild`: prebuilds/ for this platform. The binary speaks N-API only, so any Node's headers will do. */
const { spawnSync } = require('node:child_process')
const { headers } = require('./headers.js')

const nodedir = headers()
const env = nodedir ? { ...process.env, npm_config_nodedir: nodedir } : process.env
process.exit(
  spawnSync('prebuildify', ['--napi', '--strip', '--name', 'monoceros'], { env, stdio: 'inherit' }).status ?? 1,
)
