/** What the compiler lets a config file say; `npm run types` is what fails here. */
import { defineConfig } from '../../lib/index.ts'

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
