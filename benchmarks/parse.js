/**
 * Heads a second: our parser, Node's own llhttp, http-parser-js. All in this one process, in
 * turn, round after round; each ratio is taken within a round, to the llhttp of that round.
 *
 *     npm run bench -- parse [--rounds 15] [--ms 100] [--only browser]
 */
const { spawnSync } = require('node:child_process')
const { parseArgs } = require('node:util')
const { HEADS, strangers, variants } = require('./heads.js')
const { parseHead } = require('../dist/http/parser/head.js')
const { rulesOf } = require('../dist/http/parser/rules.js')

if (!process.execArgv.includes('--expose-internals')) {
  const flags = ['--expose-internals', '--no-warnings', __filename, ...process.argv.slice(2)]
  process.exit(spawnSync(process.execPath, flags, { stdio: 'inherit' }).status ?? 1)
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    ms: { type: 'string', default: '100' },
    only: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const ms = Number(values.ms)

const contenders = { monoceros: ours(), llhttp: llhttp(), 'http-parser-js': httpParserJs() }
const present = Object.entries(contenders)

console.log(`node ${process.version}, llhttp ${process.versions.llhttp}, ${rounds} rounds of ${ms} ms`)
const rows = Object.entries(HEADS).map(([name, head]) => [name, variants(head, 64)])
rows.push(['strangers', strangers(HEADS.browser, 64)])
for (const [name, heads] of rows) if (values.only === undefined || values.only === name) measure(name, heads)

function measure(name, heads) {
  const bytes = heads[0].length
  const rates = new Map(present.map(([contender]) => [contender, []]))
  for (const [, run] of present) timed(run, heads, ms)
  for (let round = 0; round < rounds; round++) {
    for (const [contender, run] of round % 2 === 0 ? present : present.toReversed()) {
      rates.get(contender).push(timed(run, heads, ms))
    }
  }
  console.log(`\n${name} (${bytes} bytes)`)
  const reference = rates.get('llhttp')
  for (const [contender, all] of rates) {
    const ratios = all.map((rate, round) => rate / reference[round])
    const micros = (1e6 / median(all)).toFixed(2)
    console.log(
      `  ${contender.padEnd(15)} ${Math.round(median(all)).toLocaleString('en').padStart(10)} heads/s ${micros.padStart(7)} µs` +
        `   ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
    )
  }
}

/** Heads a second of this process's own time, so that others on the machine count less, over at least `duration` ms. */
function timed(run, heads, duration) {
  const start = performance.now()
  const before = process.cpuUsage()
  let count = 0
  do {
    for (let round = 0; round < 16; round++) for (const head of heads) run(head)
    count += 16 * heads.length
  } while (performance.now() - start < duration)
  const { user, system } = process.cpuUsage(before)
  return (count / (user + system)) * 1e6
}

function median(numbers) {
  const sorted = numbers.toSorted((left, right) => left - right)
  return sorted[sorted.length >> 1]
}

function ours() {
  const rules = rulesOf()
  return (head) => {
    const result = parseHead(head, 0, head.length, rules)
    if (result.kind !== 'head' || result.rawHeaders.length < 2) throw new Error(`not parsed: ${result.kind}`)
  }
}

/** Node's own binding; from Node 24 on only `--expose-internals` shows it. */
function llhttp() {
  const { internalBinding } = require('internal/test/binding')
  const { HTTPParser } = internalBinding('http_parser')
  return byNodesInterface(HTTPParser, (parser) => parser.initialize(HTTPParser.REQUEST, {}))
}

function httpParserJs() {
  const { HTTPParser } = require('http-parser-js')
  return byNodesInterface(HTTPParser, (parser) => parser.reinitialize(HTTPParser.REQUEST))
}

function byNodesInterface(HTTPParser, initialize) {
  const parser = new HTTPParser(HTTPParser.REQUEST)
  initialize(parser)
  let heads = 0
  parser[HTTPParser.kOnHeadersComplete | 0] = (majorOrInfo, _minor, headers = majorOrInfo.headers) => {
    if (headers.length >= 2) heads++
  }
  parser[HTTPParser.kOnMessageComplete | 0] = () => {}
  return (head) => {
    heads = 0
    const result = parser.execute(head, 0, head.length)
    if (heads !== 1) throw new Error(`not parsed: ${result}`)
  }
}
