/**
 * What is compared. `start` gives a running service, whose processes `pids` names: the one that was started first. `app` and
 * `args`, another app and more arguments, are for monoceros only.
 */
const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const CLI = join(__dirname, '../../dist/cli/monoceros.js')
/** Each crash is answered at once, however many there are. */
const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '0ms', '--restart-delay-max', '1ms']
/** For what a service is to have said, in milliseconds. */
const PATIENCE = 120_000

const monoceros = (...more) => {
  return ({ workers, port, app = 'app.js', args = [] }) => [
    process.execPath,
    [CLI, join(__dirname, app), '-w', workers, '-b', `127.0.0.1:${port}`, ...AT_ONCE, ...more, ...args].map(String),
  ]
}

const COMMANDS = {
  preload: monoceros('--preload'),
  exec: monoceros(),
  cluster: () => [process.execPath, [join(__dirname, 'cluster.js')]],
  gunicorn: ({ workers, port }) => [
    'gunicorn',
    ['--preload', '-w', `${workers}`, '-b', `127.0.0.1:${port}`, '-c', join(__dirname, 'gunicorn.conf.py'), 'app:app'],
  ],
}

exports.NAMES = Object.keys(COMMANDS).filter(
  (name) => name !== 'gunicorn' || spawnSync('gunicorn', ['--version']).status === 0,
)

exports.start = (name, options) => {
  const { workers, port, load = 0, heap = 0, frameworks = '' } = options
  const [command, args] = COMMANDS[name](options)
  const app = { APP_PORT: port, APP_WORKERS: workers, APP_LOAD: load, APP_HEAP: heap, APP_FRAMEWORKS: frameworks }
  const env = { ...process.env, ...app }
  // Ours would be every child's.
  delete env.NODE_OPTIONS
  const begun = performance.now()
  const child = spawn(command, args, { env, cwd: __dirname, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const served = []
  const waiting = new Set()
  let failed
  const ended = new Promise((_, reject) => {
    failed = () => reject(new Error(`${name} ended:\n${output}`))
  })
  ended.catch(() => undefined)
  const until = (condition) => {
    let timer
    const there = new Promise((resolve, reject) => {
      const look = () => condition() && waiting.delete(look) && resolve(performance.now())
      waiting.add(look)
      look()
      timer = setTimeout(() => reject(new Error(`${name}: ${condition} after ${PATIENCE} ms:\n${output}`)), PATIENCE)
    })
    return Promise.race([there, ended]).finally(() => clearTimeout(timer))
  }
  child.once('exit', failed)
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-100_000)
      for (const [, pid] of text.matchAll(/^serving (\d+)/gm)) served.push(Number(pid))
      for (const look of waiting) look()
    })
  return {
    begun,
    pids: () => [child.pid, ...descendants(child.pid)],
    /** When so many workers have said, since the start, that they serve. */
    serving: (count) => until(() => served.length >= count),
    get served() {
      return served.length
    },
    /** Those who have said so, and live. */
    workers: () => descendants(child.pid).filter((pid) => served.includes(pid)),
    /** When the service says this. */
    saying: (pattern) => until(() => pattern.test(output)),
    /** The number behind these words. */
    number: (words) => Number(output.split(words)[1]?.match(/^\d+/)?.[0]),
    async stop() {
      child.off('exit', failed)
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

const descendants = (pid) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}
