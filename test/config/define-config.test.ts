/** What the compiler lets a config file say; `npm run types` is what fails here. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from '../../lib/index.ts'
import { temporaryFolder } from '../support/folder.ts'
import { run } from '../support/process.ts'

const ROOT = join(__dirname, '..', '..')

test('a config file may say what the settings page says, and nothing else', () => {
  const config = defineConfig({
    app: 'server.js',
    bind: [':80', 'unix:a.sock'],
    workers: 'auto',
    timeout: '30s',
    keepalive: 0.5,
    limitRequestLine: '16kb',
    umask: '022',
    pidfile: null,
    instanceVar: false,
    certReqs: 'optional',
    env: { A: 'b' },
    companions: [
      { name: 'a', command: ['a'], stopTimeout: '5m', limits: { NOFILE: 100, CORE: { soft: 0, hard: 'unlimited' } } },
      { name: 'b', target: 'b.js:run', autorestart: 'unexpected', exitcodes: [0, 2] },
    ],
    hooks: { async onExit() {} },
  })
  expect(config.workers).toBe('auto')

  const wrong = [
    // @ts-expect-error no such setting
    defineConfig({ worker: 3 }),
    // @ts-expect-error no such word
    defineConfig({ workers: 'all' }),
    // @ts-expect-error no such unit
    defineConfig({ timeout: '30d' }),
    // @ts-expect-error not a text
    defineConfig({ env: { A: 1 } }),
    // @ts-expect-error no name
    defineConfig({ companions: [{ command: ['a'] }] }),
    // @ts-expect-error not a list
    defineConfig({ companions: [{ name: 'a', command: 'a' }] }),
    // @ts-expect-error no such key
    defineConfig({ companions: [{ name: 'a', command: ['a'], stopsignal: 'TERM' }] }),
    // @ts-expect-error no such hook
    defineConfig({ hooks: { onStart() {} } }),
  ]
  expect(wrong).toHaveLength(8)
})

test('it may be a function or a promise too, and hooks know their arguments in all of them', async () => {
  const made = [
    defineConfig(() => ({ workers: 'auto', hooks: { childExit: (server, _, exit) => [server.pid, exit.code] } })),
    defineConfig(async () => ({ workers: 'auto', hooks: { childExit: (server, _, exit) => [server.pid, exit.code] } })),
  ]
  expect(await Promise.all(made.map(async (make) => (await make()).workers))).toEqual(['auto', 'auto'])
  expect((await defineConfig(Promise.resolve({ workers: 3 }))).workers).toBe(3)

  const wrong = [
    // @ts-expect-error no such setting
    defineConfig(() => ({ worker: 3 })),
    // @ts-expect-error no such word
    defineConfig(async () => ({ workers: 'all' })),
    // @ts-expect-error no such unit
    defineConfig(Promise.resolve({ timeout: '30d' })),
  ]
  expect(wrong).toHaveLength(3)
})

test('whoever has @types/node can check what the package ships, libraries included', async () => {
  const options = { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false, types: ['node'] }
  const folder = temporaryFolder({
    'tsconfig.json': JSON.stringify({ compilerOptions: options, files: ['monoceros.config.ts'] }),
    'monoceros.config.ts': `import { defineConfig, postFork, preFork } from 'monoceros'
preFork(() => undefined)
postFork(() => undefined)
export default defineConfig(async () => ({ workers: 'auto' }))`,
  })
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', 'monoceros'))
  symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'))
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, stdout } = await run(process.execPath, [compiler, '-p', '.'], { cwd: folder })
  expect([stdout, code]).toEqual(['', 0])
})
