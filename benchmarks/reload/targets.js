/**
 * What is reloaded: each starts the app with two workers on a port, reloads it, and stops. `start` gives `reload`, which
 * settles when the reload is over (its outcome in one word), `workers` (their pids) and `stop`.
 */
const { execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const { existsSync, mkdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

const ROOT = join(__dirname, '..', '..')
const APP = join(__dirname, 'app.js')
const WORKERS = 2

/** A program whose output can be waited for. */
class Running {
  output = ''
  #waiting = new Set()

  constructor(command, args, options) {
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text
        for (const look of [...this.#waiting]) look()
      })
    this.ended = once(this.child, 'exit')
  }

  /** The first match after `from`. */
  async match(pattern, from = 0) {
    for (;;) {
      const found = pattern.exec(this.output.slice(from))
      if (found !== null) return found
      if (this.child.exitCode !== null) throw new Error(`it ended:\n${this.output.slice(-2000)}`)
      await new Promise((resolve) => {
        const look = () => this.#waiting.delete(look) && resolve()
        this.#waiting.add(look)
      })
    }
  }

  async stop() {
    this.child.kill('SIGTERM')
    await this.ended
  }
}

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function until(holds, what) {
  for (let n = 0; n < 600; n++) {
    if (await holds()) return
    await delay(50)
  }
  throw new Error(`no ${what} within 30 s`)
}

async function monoceros({ port, env, options = [] }) {
  const settings = ['-w', WORKERS, '-b', `127.0.0.1:${port}`, ...options].map(String)
  const running = new Running(process.execPath, [join(ROOT, 'dist/cli/monoceros.js'), APP, ...settings], { env })
  await running.match(/all workers are ready/)
  return {
    log: () => running.output,
    workers: () => childrenOf(running.child.pid),
    async reload() {
      const from = running.output.length
      running.child.kill('SIGHUP')
      const [line] = await running.match(/the new generation serves|reload failed: [^;]*/, from)
      return line.startsWith('reload failed') ? line : 'reloaded'
    },
    stop: () => running.stop(),
  }
}

async function cluster({ port, env }) {
  const running = new Running(process.execPath, [join(__dirname, 'cluster.js')], {
    env: { ...env, APP_PORT: port, APP_WORKERS: WORKERS },
  })
  await until(() => childrenOf(running.child.pid).length === WORKERS, 'workers')
  await delay(1000)
  return {
    log: () => running.output,
    workers: () => childrenOf(running.child.pid),
    async reload() {
      const from = running.output.length
      running.child.kill('SIGHUP')
      await running.match(/reloaded/, from)
      return 'reloaded'
    },
    stop: () => running.stop(),
  }
}

async function pm2({ port, env, folder }) {
  const tools = join(folder, 'pm2')
  if (!existsSync(tools)) {
    mkdirSync(tools)
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', tools, 'pm2'], {
      stdio: 'ignore',
    })
  }
  const bin = join(tools, 'node_modules/pm2/bin/pm2')
  const ours = { ...env, PM2_HOME: join(folder, 'pm2-home'), APP_PORT: String(port) }
  const say = (...args) => execFileSync(process.execPath, [bin, ...args], { env: ours, encoding: 'utf8' })
  say('start', APP, '-i', String(WORKERS), '--name', 'app')
  await delay(1000)
  return {
    log: () => '',
    workers: () => JSON.parse(say('jlist')).map(({ pid }) => pid),
    // In a process beside us: the clients' output must be read meanwhile.
    async reload() {
      const child = spawn(process.execPath, [bin, 'reload', 'app'], { env: ours, stdio: 'ignore' })
      const [code] = await once(child, 'exit')
      return code === 0 ? 'reloaded' : `code ${code}`
    },
    stop: async () => void say('kill'),
  }
}

async function gunicorn({ port, env, folder }) {
  const tools = join(folder, 'gunicorn')
  if (!existsSync(tools)) {
    execFileSync('python3', ['-m', 'venv', tools], { stdio: 'ignore' })
    execFileSync(join(tools, 'bin/pip'), ['install', '--quiet', 'gunicorn'], { stdio: 'ignore' })
  }
  const args = ['-w', String(WORKERS), '-k', 'gthread', '--threads', '16', '--keep-alive', '75']
  const running = new Running(join(tools, 'bin/gunicorn'), [...args, '-b', `127.0.0.1:${port}`, 'app:app'], {
    env,
    cwd: __dirname,
  })
  const workers = () => childrenOf(running.child.pid)
  await until(() => workers().length === WORKERS, 'workers')
  await delay(1000)
  return {
    log: () => running.output,
    workers,
    async reload() {
      const before = new Set(workers())
      running.child.kill('SIGHUP')
      await until(() => workers().filter((pid) => !before.has(pid)).length === WORKERS, 'new workers')
      return 'reloaded'
    },
    stop: () => running.stop(),
  }
}

exports.TARGETS = { monoceros, cluster, pm2, gunicorn }
