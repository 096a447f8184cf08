/** C programs of the benchmarks, compiled into a temporary folder that goes with this process. */
const { execFileSync } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { basename, join } = require('node:path')

exports.compiled = (name, ...options) => {
  const folder = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const output = join(folder, basename(name, '.c'))
  execFileSync('cc', ['-O2', ...options, '-o', output, join(__dirname, '..', name)], { stdio: 'inherit' })
  return output
}
