/**
 * npm run compat -- FOLDER [suite …]
 *
 * Runs the test suites of other projects that stand checked out and installed in FOLDER (FOLDER/express, FOLDER/koa …),
 * unchanged: once under node:http, once with the engine attached to every server, and shows what differs. Names of
 * suites choose some of them. Ends with 1 if a suite fails under the engine that passes under node:http and that is
 * not explained in EXPLAINED.
 */
const { spawnSync } = require('node:child_process')
const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join, resolve } = require('node:path')
const { EXPLAINED } = require('./explained.js')

const mocha = (...args) => ({ tool: 'mocha', args })

const SUITES = {
  express: mocha('--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/'),
  koa: { tool: 'node', args: ['--test'] },
  fastify: { tool: 'borp', args: [] },
  ws: mocha('test/*.test.js'),
  'body-parser': mocha('--check-leaks', 'test/'),
  compression: mocha('--check-leaks'),
  connect: mocha('--require', 'test/support/env', '--check-leaks', 'test/'),
  'on-finished': mocha('--check-leaks', 'test/'),
  finalhandler: mocha('--check-leaks', 'test/'),
  send: mocha('--check-leaks'),
}

const [where, ...chosen] = process.argv.slice(2)
if (!where) {
  console.error('npm run compat -- FOLDER [suite …]: FOLDER holds checked-out and installed projects')
  process.exit(2)
}
const folder = resolve(where)
const scratch = mkdtempSync(join(tmpdir(), 'monoceros-compat-'))
let wrong = 0
for (const name of chosen.length > 0 ? chosen : Object.keys(SUITES)) {
  if (existsSync(join(folder, name, 'node_modules'))) compare(name)
  else console.log(`${name.padEnd(14)} not installed in ${folder}`)
}
rmSync(scratch, { recursive: true, force: true })
process.exit(wrong > 0 ? 1 : 0)

function compare(name) {
  const node = run(name, false)
  const engine = run(name, true)
  const worse = engine.failures.filter((title) => !node.failures.includes(title))
  const better = node.failures.filter((title) => !engine.failures.includes(title))
  const { explained, reruns } = explanations(name, worse)
  const unexplained = worse.filter((title) => !explained.has(title))
  // A file that ended early in an explained way must have run whole with the option that explains it.
  const most = Math.max(...[engine, ...reruns].map(countOf))
  const missing = most < countOf(node)
  const share = ({ passed, failures }) => `${passed}/${passed + failures.length}`
  console.log(`${name.padEnd(14)} node:http ${share(node)}, engine ${share(engine)}, ${engine.requests} requests`)
  for (const title of worse)
    console.log(`  fails only under the engine: ${title} (${explained.get(title) ?? 'NOT EXPLAINED'})`)
  for (const title of better) console.log(`  fails only under node:http: ${title}`)
  if (missing) console.log('  fewer tests ran under the engine')
  wrong += unexplained.length + (missing ? 1 : 0)
}

/** Why these tests may fail. Where an option of the engine makes the difference, they must pass with it. */
function explanations(name, titles) {
  const explained = new Map()
  const runs = new Map()
  for (const title of titles) {
    const row = EXPLAINED.find((each) => each.suite === name && title.includes(each.title))
    if (row === undefined) continue
    const options = row.passesWith && JSON.stringify(row.passesWith)
    if (options && !runs.has(options)) runs.set(options, run(name, true, options))
    if (!options || !runs.get(options).failures.includes(title)) explained.set(title, row.because)
  }
  return { explained, reruns: [...runs.values()] }
}

function countOf({ passed, failures }) {
  return passed + failures.length
}

function run(name, attached, options = '') {
  const { tool, args } = SUITES[name]
  const count = join(scratch, `${name}.count`)
  const output = join(scratch, `${name}.output`)
  rmSync(output, { force: true })
  rmSync(count, { force: true })
  const shim = attached ? ` --require ${join(__dirname, 'shim.js')}` : ''
  const env = {
    ...process.env,
    NODE_ENV: 'test',
    COMPAT_COUNT: count,
    COMPAT_OPTIONS: options,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''}${shim}`.trim(),
  }
  const bin = tool === 'node' ? [] : [binOf(join(folder, name), tool)]
  const report = {
    mocha: ['--exit', '--reporter', 'tap'],
    node: ['--test-reporter=tap', `--test-reporter-destination=${output}`],
    borp: ['--reporter', `tap:${output}`],
  }[tool]
  const { error, stdout } = spawnSync(process.execPath, [...bin, ...args, ...report], {
    cwd: join(folder, name),
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 900_000,
    killSignal: 'SIGKILL',
  })
  if (error) throw error
  const requests = existsSync(count)
    ? readFileSync(count, 'utf8')
        .trim()
        .split('\n')
        .reduce((sum, line) => sum + Number(line), 0)
    : 0
  return { ...results(tool === 'mocha' ? stdout : readFileSync(output, 'utf8')), requests }
}

function binOf(project, tool) {
  const { bin } = require(join(project, 'node_modules', tool, 'package.json'))
  return join(project, 'node_modules', tool, typeof bin === 'string' ? bin : bin[tool])
}

/** What a TAP report says of every test in it, suites included. */
function results(tap) {
  const failures = []
  let passed = 0
  for (const [, not, title] of tap.matchAll(/^ *(not )?ok \d+ (?:- )?(.*)$/gm)) {
    if (not) failures.push(title)
    else passed++
  }
  return { passed, failures }
}
