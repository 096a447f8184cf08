/**
 * npm run compat -- FOLDER [VERSION … | SUITE …]
 *
 * Runs the test suites of other projects that stand checked out and installed in FOLDER (FOLDER/express, FOLDER/koa …),
 * unchanged, on every supported version of Node: once under node:http, once with the engine attached to every server,
 * and compares them test by test. Versions (`22`) and names of suites choose some of them.
 *
 * What differs is run again, on both sides, up to `AGAIN` times: a test that passes once under the engine, or fails
 * once under node:http, hangs on who is faster and not on the engine. Ends with 1 if a test fails under the engine that
 * passes under node:http and is not in EXPLAINED, or if a row of EXPLAINED no longer explains anything.
 */
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join, resolve } = require('node:path')
const { exactVersion, nodeOf, VERSIONS } = require('../support/node-versions.js')
const { EXPLAINED } = require('./explained.js')
const { isInstalled, NAMES, runSuite, runsFiles, versionOf } = require('./suites.js')

const AGAIN = 3

const [where, ...chosen] = process.argv.slice(2)
const unknown = chosen.find((word) => !VERSIONS.includes(word) && !NAMES.includes(word))
if (!where || unknown) {
  console.error(`npm run compat -- FOLDER [VERSION … | SUITE …]: FOLDER holds checked-out and installed projects`)
  if (unknown) console.error(`${unknown} is none of ${[...VERSIONS, ...NAMES].join(', ')}`)
  process.exit(2)
}
const some = (all) => (chosen.some((word) => all.includes(word)) ? all.filter((each) => chosen.includes(each)) : all)
const place = { folder: resolve(where), scratch: mkdtempSync(join(tmpdir(), 'monoceros-compat-')) }
const table = []
const used = new Set()
let wrong = 0
for (const version of some(VERSIONS)) {
  const node = nodeOf(version)
  for (const name of some(NAMES)) compare({ name, version, node })
}
rmSync(place.scratch, { recursive: true, force: true })
for (const row of EXPLAINED) if (isStale(row)) complain(`explains nothing: ${row.suite}: ${row.title}`)
console.log(
  `\n| suite | Node | node:http | engine | differ | unstable |\n|---|---|---|---|---|---|\n${table.join('\n')}`,
)
process.exit(wrong > 0 ? 1 : 0)

function compare(suite) {
  const { name, version, node } = suite
  if (!isInstalled(place.folder, name)) {
    complain(`${name} is not installed in ${place.folder}`)
    return
  }
  const under = runSuite(place, name, { node, attached: false }).tests
  const { tests: engine, requests } = runSuite(place, name, { node, attached: true })
  const all = [...new Set([...under.keys(), ...engine.keys()])]
  const worse = all.filter((test) => isWorse(under.get(test), engine.get(test)))
  const unstable = runAgain(suite, new Map(worse.map((test) => [test, (under.get(test) ?? engine.get(test)).file])))
  const differ = worse.filter((test) => !unstable.has(test))
  const label = `${name} ${versionOf(place.folder, name)}`
  console.log(`${label}, Node ${exactVersion(node)}: ${requests} requests`)
  if (requests === 0) complain('the engine had no request')
  for (const test of unstable) console.log(`  hangs on who is faster: ${test}`)
  for (const test of all)
    if (isWorse(engine.get(test), under.get(test))) console.log(`  fails only under node:http: ${test}`)
  for (const test of differ) explain(suite, test)
  table.push(`| ${label} | ${version} | ${share(under)} | ${share(engine)} | ${differ.length} | ${unstable.size} |`)
}

/** Those that do not differ each time; `worse` says in which file each stands. */
function runAgain(suite, worse) {
  const { name, node } = suite
  const open = new Set([...worse.keys()].filter((test) => explanation(suite, test) === undefined))
  const unstable = new Set()
  for (let time = 0; time < AGAIN && open.size > 0; time++) {
    const files = runsFiles(name) ? [...new Set([...open].map((test) => worse.get(test)))] : []
    const under = runSuite(place, name, { node, attached: false, files }).tests
    const engine = runSuite(place, name, { node, attached: true, files }).tests
    for (const test of open) {
      if (isWorse(under.get(test), engine.get(test))) continue
      open.delete(test)
      unstable.add(test)
    }
  }
  return unstable
}

/** Only what says itself what is wrong. A test that did not run has not passed; a file is only named when it fails. */
function isWorse(one, other) {
  if (other?.whole) return one === undefined
  return one?.result === 'passed' && other?.result !== 'passed' && other?.derived !== true
}

function explanation({ name, version }, test) {
  return EXPLAINED.find(
    ({ suite, title, nodes = VERSIONS }) => suite === name && title === test && nodes.includes(version),
  )
}

function explain(suite, test) {
  const row = explanation(suite, test)
  if (row) used.add(row)
  if (row) console.log(`  explained: ${test}: ${row.because}`)
  else complain(`fails only under the engine: ${test}`)
}

/** Only a run of all that it is about can tell. */
function isStale(row) {
  const { suite, nodes = VERSIONS } = row
  return !used.has(row) && some(NAMES).includes(suite) && nodes.every((each) => some(VERSIONS).includes(each))
}

function complain(text) {
  wrong++
  console.log(`  ${text}`)
}

function share(tests) {
  const results = [...tests.values()].filter(({ result }) => result !== 'skipped')
  return `${results.filter(({ result }) => result === 'passed').length}/${results.length}`
}
