/** How the suites of other projects are run, and what they say of each of their tests. */
const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync, rmSync } = require('node:fs')
const { delimiter, dirname, join } = require('node:path')
const { exactVersion } = require('../support/node-versions.js')

const mocha = (...args) => ({ tool: 'mocha', args })

/** As in each project's own package.json, without linters and types. */
const SUITES = {
  express: mocha('--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/'),
  koa: { tool: 'node', args: ['--test'] },
  fastify: { tool: 'borp', args: ['--concurrency', '3', '--timeout', '120000'] },
  ws: mocha('--throw-deprecation', 'test/*.test.js'),
  'body-parser': mocha('--check-leaks', 'test/'),
  compression: mocha('--check-leaks'),
  connect: mocha('--require', 'test/support/env', '--check-leaks', 'test/'),
  'on-finished': mocha('--check-leaks', 'test/'),
  finalhandler: mocha('--check-leaks', 'test/'),
  send: mocha('--check-leaks'),
}

/** The slowest takes a minute on an idle machine. */
const LONGEST = 1_200_000

exports.NAMES = Object.keys(SUITES)

/** Whether the suite can be asked for some of its files. */
exports.runsFiles = (name) => SUITES[name].tool !== 'mocha'

exports.isInstalled = (folder, name) => existsSync(join(folder, name, 'node_modules'))

exports.versionOf = (folder, name) => require(join(folder, name, 'package.json')).version

/**
 * Runs a suite, or some of its files, and gives its tests by name: `{ file, result: 'passed' | 'failed' | 'skipped',
 * derived }`; `requests`: how many the engine had.
 */
exports.runSuite = ({ folder, scratch }, name, { node, attached, files = [] }) => {
  // Some files are run without borp, whose own list of files stands in the project.
  const { tool, args } = files.length > 0 ? { tool: 'node', args: ['--test', '--test-timeout=120000'] } : SUITES[name]
  const project = join(folder, name)
  const count = join(scratch, 'count')
  const output = join(scratch, 'output')
  rmSync(output, { force: true })
  rmSync(count, { force: true })
  const reporter = join(__dirname, 'reporter.js')
  const report = {
    mocha: ['--exit', '--reporter', 'tap'],
    node: [`--test-reporter=${reporter}`, `--test-reporter-destination=${output}`],
    borp: ['--reporter', `${reporter}:${output}`],
  }[tool]
  const bin = tool === 'node' ? [] : [binOf({ folder, name, tool, node })]
  // Node wants its own options before the files.
  const { error, stdout } = spawnSync(node, [...bin, ...args, ...report, ...files], {
    cwd: project,
    env: environment(node, attached, count),
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: LONGEST,
    killSignal: 'SIGKILL',
  })
  if (error) throw error
  const tests = tool === 'mocha' ? fromTap(stdout) : fromLines(readFileSync(output, 'utf8'))
  if (tests.size === 0) throw new Error(`${name} ran no test`)
  return { tests, requests: sumOf(count) }
}

function environment(node, attached, count) {
  const { NODE_OPTIONS = '', NODE_TEST_CONTEXT: _context, ...rest } = process.env
  const preloaded = ['limit.js', ...(attached ? ['shim.js'] : [])].map((file) => `--require ${join(__dirname, file)}`)
  return {
    ...rest,
    NODE_ENV: 'test',
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    COMPAT_COUNT: count,
    NODE_OPTIONS: [NODE_OPTIONS, ...preloaded].join(' ').trim(),
  }
}

/** The project's own test runner. Mocha before 10.7 does not start on Node 26 (its yargs): there Express's has its place. */
function binOf({ folder, name, tool, node }) {
  const own = join(folder, name, 'node_modules', tool)
  const [major, minor] = require(join(own, 'package.json')).version.split('.').map(Number)
  const isOld = tool === 'mocha' && major * 100 + minor < 1007 && /^v2[6-9]/.test(exactVersion(node))
  const place = isOld ? join(folder, 'express', 'node_modules', tool) : own
  const { bin } = require(join(place, 'package.json'))
  return join(place, typeof bin === 'string' ? bin : bin[tool])
}

function fromTap(text) {
  const tests = new Map()
  for (const [, not, title] of text.matchAll(/^(not )?ok \d+ (.*)$/gm)) {
    const skipped = /\s+# SKIP -$/.exec(title)
    add(tests, skipped ? title.slice(0, skipped.index) : title, {
      file: null,
      result: skipped ? 'skipped' : not ? 'failed' : 'passed',
      derived: false,
    })
  }
  return tests
}

/** A file that fails with one of its tests says nothing of its own; one that has not failed is not reported. */
function fromLines(text) {
  const tests = new Map()
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const failed = new Set(lines.filter(({ result, whole }) => result === 'failed' && !whole).map(({ file }) => file))
  for (const { name, whole, ...test } of lines) {
    const says = whole && test.result === 'failed' ? !failed.has(test.file) : !whole
    if (says) add(tests, name, { ...test, whole })
  }
  return tests
}

/** Some tests have the same name: they are told apart by their order. */
function add(tests, name, test) {
  let unique = name
  for (let number = 2; tests.has(unique); number++) unique = `${name} (${number})`
  tests.set(unique, test)
}

function sumOf(file) {
  if (!existsSync(file)) return 0
  const counts = readFileSync(file, 'utf8').trim().split('\n')
  return counts.reduce((sum, line) => sum + Number(line), 0)
}
