/**
 * `npm run bench -- logs [--lines 10000000] [--workers 2] [--json]`: an hour's worth of log lines.
 *
 * 1. Workers print numbered lines (which `captureOutput` leads into `errorlog`) and write an access log, one line of five,
 *    while `logrotate` renames both files again and again and sends USR1. Every line of both is counted afterwards: none may
 *    be lost, none torn, none be there twice. The arbiter's resident memory is looked at all the time.
 * 2. stdout and stderr are pipes that nobody reads, the log and the access log go there: requests and reloads go on.
 *
 * Ends with code 1 where that does not hold. Needs logrotate and, at 10 million lines, 700 MB of temporary space.
 */
const { execFile, execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const { closeSync, constants, createReadStream, existsSync, mkdtempSync, openSync } = require('node:fs')
const { readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { createInterface } = require('node:readline')
const { parseArgs, promisify } = require('node:util')
const { askAll } = require('./logs/client.js')

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '10000000' },
    workers: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const CLI = join(__dirname, '..', 'dist', 'cli', 'monoceros.js')
const APP = join(__dirname, 'logs', 'app.js')
/** Lines that a request prints; its access line comes to that. */
const PRINTED = 4
/** Milliseconds between two rotations, and between two looks at the memory. */
const ROTATE_EVERY = 1_000
const LOOK_EVERY = 200
/** Requests whose lines in the access log are more than a pipe holds. */
const FILLS = 2_000
/** MB that the arbiter may have grown by: what its heap takes and gives back in between. */
const FLAT = 16

const folder = mkdtempSync(join(tmpdir(), 'monoceros-logs-'))
const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Starts the service; `stdio` is that of its stdout and stderr. */
async function serve(name, args, stdio, printed) {
  const path = join(folder, `${name}.sock`)
  const env = { ...process.env, LINES: String(printed), XDG_RUNTIME_DIR: folder, PATH: `${process.env.PATH}:/usr/sbin` }
  const child = spawn(
    process.execPath,
    [CLI, APP, '-w', values.workers, '-b', `unix:${path}`, '--startsecs', '0', '-n', name, ...args],
    { env, cwd: folder, stdio: ['ignore', stdio, stdio] },
  )
  const ended = once(child, 'exit')
  const ctl = (...words) =>
    promisify(execFile)(process.execPath, [join(CLI, '..', 'monocerosctl.js'), '-s', control, ...words], { env })
  const control = join(folder, `${name}.ctl`)
  return { child, path, ctl, ended }
}

const megabytes = (pid) => (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1024 ** 2

/** Runs `work`, and `every` again and again meanwhile, one call at a time. */
async function during(work, pause, every) {
  let over = false
  const repeat = async () => {
    while (!over) {
      await every()
      await delay(pause)
    }
  }
  const repeated = repeat()
  try {
    await work
  } finally {
    over = true
    await repeated
  }
}

async function untilServing({ path, child }) {
  for (let n = 0; n < 600; n += 1) {
    if (
      existsSync(path) &&
      (await askAll(path, { requests: 1, connections: 1 }).then(
        () => true,
        () => false,
      ))
    )
      return
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    await delay(50)
  }
  throw new Error('it does not serve within 30 s')
}

/** What `files` have of `pattern`: how often each number of each writer is there. */
async function count(files, pattern) {
  const writers = new Map()
  let torn = 0
  let twice = 0
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const found = pattern.exec(line)
      if (found === null) {
        if (!OWN.test(line)) torn += 1
        continue
      }
      const [, writer, number] = found
      let seen = writers.get(writer)
      if (seen === undefined) {
        seen = { bits: new Uint8Array(Number(values.lines) + 1), most: -1 }
        writers.set(writer, seen)
      }
      if (seen.bits[number]) twice += 1
      seen.bits[number] = 1
      seen.most = Math.max(seen.most, Number(number))
    }
  }
  let lines = 0
  let missing = 0
  for (const { bits, most } of writers.values()) {
    let there = 0
    for (let n = 0; n <= most; n += 1) there += bits[n]
    lines += there
    missing += most + 1 - there
  }
  return { lines, missing, twice, torn }
}

/** Lines of monoceros itself. */
const OWN = /^\d{4}-\d\d-\d\dT\S+ \w+ +\w+\[\d+\] /

const family = (name) =>
  readdirSync(folder)
    .filter((file) => file === name || file.startsWith(`${name}.`))
    .map((file) => join(folder, file))

async function writtenThrough() {
  const requests = Math.ceil(Number(values.lines) / (PRINTED + 1))
  const logs = { errorlog: join(folder, 'error.log'), accesslog: join(folder, 'access.log') }
  const format = ['--access-logformat', 'access 0 %(U)s "%(a)s"']
  const service = await serve(
    'through',
    ['--error-logfile', logs.errorlog, '--access-logfile', logs.accesslog, ...format],
    'inherit',
    PRINTED,
  )
  const { child, path, ended } = service
  const config = join(folder, 'logrotate.conf')
  writeFileSync(
    config,
    `${logs.errorlog} ${logs.accesslog} {\n rotate 10000\n missingok\n nocreate\n sharedscripts\n postrotate\n kill -USR1 ${child.pid}\n endscript\n}\n`,
    { mode: 0o600 },
  )
  const rotate = () => promisify(execFile)('/usr/sbin/logrotate', ['-f', '-s', join(folder, 'state'), config])
  const found = { rotations: 0 }
  try {
    await untilServing(service)
    const begun = performance.now()
    const before = megabytes(child.pid)
    found.rss = { before, most: before, after: 0 }
    const work = askAll(path, { requests, connections: 8, from: 1 })
    const look = during(work, LOOK_EVERY, async () => {
      found.rss.most = Math.max(found.rss.most, megabytes(child.pid))
    })
    await during(work, ROTATE_EVERY, async () => {
      await rotate()
      found.rotations += 1
    })
    await look
    found.seconds = (performance.now() - begun) / 1000
    found.rss.after = megabytes(child.pid)
    found.requests = requests + 1
  } finally {
    child.kill('SIGTERM')
    await ended
  }
  found.printed = await count(family('error.log'), /^line (\d+ \d+) (\d+)$/)
  found.access = await count(family('access.log'), /^access (0) \/(\d+) "-"$/)
  return found
}

async function unread() {
  const requests = Math.max(FILLS, Math.ceil(Number(values.lines) / 100))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(pipe, constants.O_WRONLY)
  const control = join(folder, 'unread.ctl')
  // What the app prints itself would stop it on a full pipe, as under plain node: it prints nothing here.
  const service = await serve(
    'unread',
    ['--access-logfile', '-', '--control-socket', control, '--log-level', 'debug'],
    writer,
    0,
  )
  const { child, path, ctl, ended } = service
  try {
    await untilServing(service)
    const begun = performance.now()
    let reloads = 0
    const work = askAll(path, { requests, connections: 8, batch: 1, from: 1 })
    await during(work, 100, async () => {
      await ctl('reload')
      reloads += 1
    })
    const seconds = (performance.now() - begun) / 1000
    return { requests: requests + 1, reloads, seconds, rss: megabytes(child.pid) }
  } finally {
    child.kill('SIGTERM')
    await ended
    for (const fd of [reader, writer]) closeSync(fd)
  }
}

async function main() {
  const through = await writtenThrough()
  const { printed, access, rss } = through
  const isWhole = ({ missing, twice, torn }) => missing + twice + torn === 0
  const good =
    [printed, access].every(isWhole) &&
    printed.lines === through.requests * PRINTED &&
    access.lines === through.requests &&
    rss.most - rss.before < FLAT
  if (!values.json) {
    const seconds = through.seconds.toFixed(0)
    const total = printed.lines + access.lines
    console.log(`${total} lines in ${seconds} s, ${through.rotations} rotations by logrotate and USR1`)
    for (const [name, { lines, missing, twice, torn }] of Object.entries({ printed, access }))
      console.log(`  ${name.padEnd(8)} ${lines} lines, ${missing} missing, ${twice} twice, ${torn} torn`)
    const shown = Object.entries(rss).map(([when, size]) => `${when} ${size.toFixed(1)}`)
    console.log(`  resident memory of the arbiter, MB: ${shown.join(', ')}`)
    if (!good) console.log('NOT what it should be')
  }
  const pipe = await unread()
  if (values.json) console.log(JSON.stringify({ through, pipe }))
  else {
    const { requests, reloads, seconds, rss } = pipe
    console.log(
      `pipes that nobody reads: ${requests} requests answered and ${reloads} reloads in ${seconds.toFixed(1)} s; ` +
        `the arbiter has ${rss.toFixed(1)} MB`,
    )
  }
  process.exitCode = good ? 0 : 1
}

main()
  .finally(() => rmSync(folder, { recursive: true, force: true }))
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
