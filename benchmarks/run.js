/** `npm run bench -- NAME [options]`: runs `benchmarks/NAME.js` in a process of its own; without a name, lists them. */
const { spawnSync } = require('node:child_process')
const { existsSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

const [name, ...options] = process.argv.slice(2)
const script = join(__dirname, `${name}.js`)
if (name === undefined || !existsSync(script)) {
  const names = readdirSync(__dirname).filter((file) => file.endsWith('.js') && file !== 'run.js')
  console.error(`usage: npm run bench -- ${names.map((file) => file.slice(0, -3)).join('|')} [options]`)
  process.exit(2)
}
process.exit(spawnSync(process.execPath, [script, ...options], { stdio: 'inherit' }).status ?? 1)
