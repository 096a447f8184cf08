import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROWS } from '../../lib/cli/pm2/rows.ts'
import { dist, run } from '../support/process.ts'
import { monoceros } from './support.ts'

const APPS = { 'server.js': '', 'queue.js': '', 'api/server.js': '' }

/** What the command makes of a file, and what `--check-config` says of that. */
async function converted(source: string, args: readonly string[] = [], name = 'ecosystem.config.js') {
  const found = await monoceros(['from-pm2', ...args], { ...APPS, [name]: source })
  if (found.code !== 0) return { ...found, config: {} }
  writeFileSync(join(found.folder, 'monoceros.config.mjs'), found.stdout)
  const check = await run(process.execPath, [dist('cli/monoceros.js'), '--check-config'], { cwd: found.folder })
  expect(check.stderr).toBe('')
  expect(check.stdout).toContain('the settings are good')
  const print = "import('./monoceros.config.mjs').then((module) => console.log(JSON.stringify(module.default)))"
  const { stdout } = await run(process.execPath, ['-e', print], { cwd: found.folder })
  return { ...found, config: JSON.parse(stdout) }
}

const SHOP = `module.exports = {
  apps: [
    { name: 'mail', script: './mail.py', interpreter: 'python3', args: '--box "all of it"', error_file: 'mail.err', vizion: false },
    {
      name: 'shop', script: 'server.js', instances: 'max', exec_mode: 'cluster', wait_ready: true, listen_timeout: 8000,
      kill_timeout: 5000, max_memory_restart: '300M', node_args: '--max-old-space-size=512', args: ['--verbose', 'x y'],
      error_file: '/var/log/shop.log', out_file: '/var/log/shop.log', time: true, cron_restart: '0 3 * * *',
      env: { NODE_ENV: 'development', RETRIES: 3 }, env_production: { NODE_ENV: 'production' },
    },
    { name: 'queue worker', script: 'queue.js', instances: 2, exec_mode: 'fork', cwd: './api', autorestart: false,
      source_map_support: true, out: 'queue.log', stop_exit_codes: [0, 3] },
    { name: 'admin', script: 'api/server.js', instances: 1, port: 3001 },
  ],
  deploy: { production: {} },
}
`

test('An ecosystem of PM2 becomes a config file, and each key without a counterpart one line.', async () => {
  const { stdout, stderr } = await converted(SHOP)
  expect(stdout).toBe(`// From ecosystem.config.js, by "monoceros from-pm2".
export default {
  app: 'server.js',
  args: ['--verbose', 'x y'],
  procName: 'shop',
  workers: 'auto',
  waitReady: true,
  bootTimeout: '8000ms',
  gracefulTimeout: '5000ms',
  maxMemory: '300mb',
  errorlog: '/var/log/shop.log',
  env: { NODE_ENV: 'development', RETRIES: '3' },
  nodeOptions: ['--max-old-space-size=512'],
  companions: [
    { name: 'mail', command: ['python3', './mail.py', '--box', 'all of it'], stderr: 'mail.err' },
    {
      name: 'queue-worker',
      command: ['node', '--enable-source-maps', 'queue.js'],
      cwd: 'api',
      numprocs: 2,
      autorestart: 'unexpected',
      stdout: 'api/queue.log',
      exitcodes: [0, 3],
    },
  ],
}
`)
  expect(stderr).toEqual([
    'deploy: no counterpart: your own way to deploy, then monocerosctl reload',
    'shop: kill_timeout: gracefulTimeout is 30s unless set: is so short a time still wanted?',
    'shop: time: no counterpart: the log of monoceros has the time of every event, in UTC; what the app prints is not changed',
    'shop: cron_restart: no counterpart: a timer of systemd that runs monocerosctl reload',
    'shop: env_production: is left out; --env production takes it',
    'admin: is left out: it serves HTTP too, so it is an instance of its own: --app admin',
  ])
})

test('--app and --env choose as they do in PM2.', async () => {
  const admin = await converted(SHOP, ['--app', 'admin', '--env=production'])
  expect(admin.config).toMatchObject({ app: 'api/server.js', workers: 1, env: { PORT: '3001' } })
  expect(admin.stderr).toContain('shop: is left out: it serves HTTP too, so it is an instance of its own: --app shop')
  const shop = await converted(SHOP, ['--env', 'production'])
  expect(shop.config.env).toEqual({ NODE_ENV: 'production', RETRIES: '3' })
})

test('--env with a name that no app has is an error that says which there are.', async () => {
  const name = 'ecosystem.config.js'
  const several = `module.exports = [
    { script: 'a.js', env_staging: {}, env_production: {} },
    { script: 'b.py', env_production: {}, env_test: {} } ]`
  const found = await monoceros(['from-pm2', '--env', 'prod'], { [name]: several })
  expect([found.code, found.stdout, found.stderr]).toEqual([
    2,
    '',
    [`${name} has no app with an environment "prod" (env_prod); there are: staging, production, test`],
  ])
  const none = await monoceros(['from-pm2', '--env=prod'], { [name]: `module.exports = { script: 'a.js', env: {} }` })
  expect(none.stderr).toEqual([`${name} has no app with an environment "prod" (env_prod); there is none`])
})

test.each([
  ['ecosystem.config.cjs', `module.exports = { script: 'server.js' }`],
  ['ecosystem.config.mjs', `export default [{ script: 'server.js' }]`],
  ['ecosystem.json', `{ "apps": [{ "exec": "server.js" }] }`],
  ['package.json', `{ "name": "shop", "pm2": { "apps": { "script": "server.js" } } }`],
  ['ecosystem.config.js', `module.exports = async () => ({ apps: [{ script: 'server.js' }] })`],
])('%s is read too.', async (name, source) => {
  const { config, stderr } = await converted(source, [], name)
  expect({ config, stderr }).toEqual({ config: { app: 'server.js' }, stderr: [] })
})

test('Companions keep the folder that PM2 started them in when the app has another.', async () => {
  const source = `module.exports = { apps: [
    { name: 'api', script: 'server.js', cwd: 'api', instances: 2 },
    { name: 'queue', script: './queue.js', error_file: 'queue.log', out_file: 'queue.log' },
    { name: 'queue', script: 'npm', args: 'run mail', cwd: '/srv/mail' },
  ] }`
  const { config } = await converted(source)
  expect(config).toEqual({
    app: 'server.js',
    chdir: 'api',
    procName: 'api',
    workers: 2,
    companions: [
      { name: 'queue', command: ['node', './queue.js'], cwd: '..', stdout: '../queue.log', stderr: 'stdout' },
      { name: 'queue-2', command: ['npm', 'run', 'mail'], cwd: '/srv/mail' },
    ],
  })
})

/** Each of PM2 7's keys with a value that it takes, all of an app and of a process beside it. */
const VALUES: Readonly<Record<string, unknown>> = {
  script: 'server.js',
  name: 'shop & co',
  name_prefix: 'x',
  filter_env: ['AWS_'],
  namespace: 'shop',
  install_url: 'https://example.com',
  cwd: '.',
  args: 'one two',
  exec_interpreter: 'node@20',
  node_args: ['--no-warnings'],
  out_file: 'out.log',
  error_file: 'error.log',
  log_file: 'all.log',
  disable_logs: true,
  log_type: 'json',
  log_date_format: 'YYYY',
  time: true,
  env: { A: 'b', C: { d: 1 } },
  max_memory_restart: 300_000_000,
  pid_file: 'shop.pid',
  restart_delay: 3000,
  exp_backoff_restart_delay: 100,
  source_map_support: true,
  disable_source_map_support: true,
  wait_ready: true,
  instances: 2,
  kill_timeout: 3000,
  shutdown_with_message: true,
  listen_timeout: 3000,
  cron_restart: '* * * * *',
  merge_logs: false,
  vizion: true,
  autostart: false,
  autorestart: false,
  stop_exit_codes: [0],
  watch_delay: 1000,
  watch: ['src'],
  ignore_watch: ['tmp'],
  watch_options: {},
  min_uptime: '5s',
  max_restarts: 16,
  execute_command: false,
  exec_mode: 'cluster',
  force: true,
  append_env_to_name: true,
  post_update: ['npm install'],
  trace: true,
  disable_trace: true,
  v8: true,
  event_loop_inspector: true,
  deep_monitoring: true,
  increment_var: 'PORT',
  instance_var: 'SLOT',
  pmx: true,
  automation: true,
  treekill: false,
  port: 3000,
  username: 'shop',
  uid: 'nobody',
  gid: 'nogroup',
  windowsHide: true,
  kill_retry_time: 100,
  write: true,
  io: {},
}

/** What says nothing on this system, or what another key says already. */
const SILENT = [
  'script',
  'args',
  'exec_mode',
  'execute_command',
  'username',
  'windowsHide',
  'disable_source_map_support',
]

test('Every key of PM2 has a row, and says what becomes of it in what is printed or in a line.', async () => {
  expect(Object.keys(VALUES).sort()).toEqual(Object.keys(ROWS).sort())
  for (const [key, value] of Object.entries(VALUES)) {
    if (SILENT.includes(key)) continue
    for (const row of [ROWS[key]!.app, ROWS[key]!.companion]) {
      const { set, note } = row(value, {})
      const said = [set, note].some((part) => part !== undefined)
      const elsewhere = ['name', 'cwd', 'exec_interpreter', 'node_args'].includes(key)
      expect({ key, said: said || elsewhere }).toEqual({ key, said: true })
    }
  }
})

test('An app that has every key of PM2, and a companion that has, give a config that is accepted.', async () => {
  const companion = { ...VALUES, name: 'beside', exec_mode: 'fork', exec_interpreter: 'node' }
  const source = `module.exports = ${JSON.stringify({ apps: [VALUES, companion] })}`
  const { config, stderr } = await converted(source)
  expect(config.companions).toHaveLength(1)
  const told = stderr.filter((line) => line.startsWith('shop & co: ')).map((line) => line.split(': ')[1])
  expect(told).toEqual(expect.arrayContaining(['vizion', 'cron_restart', 'namespace', 'io', 'interpreter']))
  expect(new Set(stderr).size).toBe(stderr.length)
})

test('Every key has its row in docs/migrating-from-pm2.md.', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'migrating-from-pm2.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)/g)].map(([, key]) => key!),
  )
  expect(Object.keys(ROWS).filter((key) => !rows.includes(key))).toEqual([])
})

test.each([
  [
    'a: 1',
    'ecosystem.yml',
    'ecosystem.yml: YAML is not read; make it JSON first: npx js-yaml ecosystem.yml > ecosystem.json',
  ],
  ['{ // apps', 'ecosystem.json', /^ecosystem\.json is not JSON: /],
  [`throw new Error('no')`, 'ecosystem.config.js', 'ecosystem.config.js:1:7 Error: no'],
  [
    'module.exports = { apps: [] }',
    'ecosystem.config.js',
    'ecosystem.config.js has no apps; needed: { apps: [{ script: "server.js", … }] }',
  ],
  [`module.exports = [{ script: 'a.py' }]`, 'e.js', 'e.js has no program of Node that could be the app; there are: a'],
])('%s in %s is an error in one line.', async (source, name, line) => {
  const { code, stdout, stderr } = await monoceros(['from-pm2', name], { [name]: source })
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: [typeof line === 'string' ? line : expect.stringMatching(line)],
  })
})

test.each([
  [[], /^from-pm2: no file named, and none of ecosystem\.config\.js, .* here$/],
  [['none.js'], /^none\.js no such file$/],
  [['--app'], /^--app: needs a value$/],
  [['--all'], /^--all: is no flag of from-pm2; allowed: --app NAME, --env NAME and one file$/],
  [['a.js', 'b.js'], /^from-pm2: takes one file, not a\.js and b\.js$/],
])('from-pm2 %j is an error in one line.', async (args, line) => {
  const { code, stderr } = await monoceros(['from-pm2', ...args])
  expect({ code, stderr }).toEqual({ code: 2, stderr: [expect.stringMatching(line)] })
})
