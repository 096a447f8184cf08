/**
 * `npm run sanitize [-- PATTERN...]`: builds the addon with the address and undefined-behaviour sanitizers, in a folder of
 * its own, and plays the scenes of the kernel and of the mold with it. Fails when a sanitizer has reported anything in any
 * process, or a test has failed. g++ with its libasan and patchelf are needed.
 *
 * Leaks are not looked for: Node itself leaves everything behind when it ends.
 */
const { execFileSync, spawnSync } = require('node:child_process')
const { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync } = require('node:fs')
const { readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { headers } = require('../../native/headers.js')

const ROOT = join(__dirname, '..', '..')
/** vptr needs the type information that Node's headers are compiled without. */
const UNDEFINED = ['-fsanitize=undefined', '-fno-sanitize=vptr', '-fno-omit-frame-pointer', '-g']
/**
 * What runs between clone and execve has a stack of its own in its parent's memory, which the address sanitizer cannot
 * follow (google/sanitizers#189): it is checked for undefined behaviour only.
 */
const FLAGS = { child: UNDEFINED, monoceros: [...UNDEFINED, '-fsanitize=address'] }
/** What plays on the native part. Left out: what looks at the binary itself, or has a boot timeout that is too short. */
const SCENES = [
  'test/kernel/(contract|listeners|lives|memory|mold|process|signals|spawn|stuck|wills)',
  'test/mold/(ability|races|storm)',
]
/** What other programs do wrong that run in a test is not ours: dd, for one, is reported for an allocation of its own. */
const OURS = /monoceros\.node|native\//
/** The tests preload libraries of their own, which may then be the first. */
const OPTIONS = [
  'verify_asan_link_order=0',
  'detect_leaks=0',
  'check_initialization_order=1',
  'strict_string_checks=1',
  'print_stacktrace=1',
]

const patterns = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'mono-sanitize-'))
const reports = join(folder, 'reports')
process.exitCode = 1
try {
  run('npm', ['run', '--silent', 'compile'], ROOT)
  build()
  const status = play()
  const found = readdirSync(reports)
    .map((name) => readFileSync(join(reports, name), 'utf8'))
    .filter((text) => OURS.test(text))
  for (const text of found) console.log(text)
  console.log(`sanitizers: ${found.length} reports; tests: ${status === 0 ? 'passed' : 'failed'}`)
  process.exitCode = status === 0 && found.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The whole of what tests run from, with the other addon. */
function build() {
  chmodSync(folder, 0o755)
  for (const part of ['native', 'package.json', 'dist', 'lib', 'test/kernel', 'test/support'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(reports)
  // Processes of any user report.
  chmodSync(reports, 0o1777)
  const gyp = join(ROOT, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')
  const { targets } = JSON.parse(readFileSync(join(ROOT, 'binding.gyp'), 'utf8'))
  for (const target of targets) {
    target.cflags_cc.push(...FLAGS[target.target_name])
    target.ldflags = ['-fsanitize=address,undefined']
  }
  writeFileSync(join(folder, 'binding.gyp'), JSON.stringify({ targets }))
  const nodedir = headers()
  run(process.execPath, [gyp, 'rebuild', '--silent', ...(nodedir ? [`--nodedir=${nodedir}`] : [])], folder)
}

/**
 * A Node that has the sanitizer's library of its own accord: it must be loaded first, and by LD_PRELOAD it would be in
 * every other program that a test starts as well, where it takes signals and core dumps.
 */
function sanitizedNode() {
  const library = execFileSync('c++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
  const node = join(folder, 'node')
  copyFileSync(realpathSync(process.execPath), node)
  run('patchelf', ['--add-needed', library, node], folder)
  return node
}

/** The exit code of the tests. */
function play() {
  const options = [...OPTIONS, `log_path=${join(reports, 'report')}`].join(':')
  const env = {
    ASAN_OPTIONS: options,
    UBSAN_OPTIONS: options,
    MONOCEROS_TEST_ROOT: folder,
  }
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  const tests = patterns.length > 0 ? patterns : SCENES
  const { status } = spawnSync(sanitizedNode(), [jest, '--testTimeout=600000', ...tests], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status
}

function run(command, args, cwd) {
  execFileSync(command, args, { cwd, stdio: 'inherit' })
}
