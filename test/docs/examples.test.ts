import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ARBITER_SIGNALS } from '../../lib/arbiter/orders.ts'
import { exposition } from '../../lib/metrics/exposition.ts'
import { snapshotOf } from '../metrics/snapshot.ts'
import { temporaryFolder } from '../support/folder.ts'
import { run, startMonoceros } from '../support/process.ts'
import { CERTIFICATES } from '../support/tls.ts'

const ROOT = join(__dirname, '..', '..')
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'benchmarks/README.md'].concat(
  readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
)

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** The fenced blocks of these languages in all pages. */
const blocks = (...languages: string[]): { page: string; text: string }[] =>
  PAGES.flatMap((page) =>
    [...read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)]
      .filter(([, language]) => languages.includes(language!))
      .map(([, , text]) => ({ page, text: text! })),
  )

const numbered = <Block extends { page: string }>(all: Block[]): [string, Block][] =>
  all.map((block, index) => [`${block.page} (${index + 1})`, block])

test.each(PAGES)('Every link of %s leads somewhere.', (page) => {
  const text = read(page).replace(/^```.*?^```$/gms, '')
  const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!)
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(ROOT, dirname(page), link)))
  expect(broken).toEqual([])
})

const configs = numbered(blocks('js', 'ts').filter(({ text }) => /^(export default|module\.exports)/m.test(text)))

test.each(configs)('The configuration in %s is accepted.', async (_, { text }) => {
  const cjs = text.includes('module.exports')
  const name = cjs ? 'monoceros.config.cjs' : 'monoceros.config.mjs'
  // The examples name the app's own files; a folder for logs is the reader's.
  const folder = temporaryFolder({
    [name]: text.replace(/^import \{ defineConfig \}.*$/m, 'const defineConfig = (config) => config'),
    'server.js': '',
    'app.js': '',
    'queue.js': '',
    'shop.pem': ['cert', 'key'].map((part) => readFileSync(join(CERTIFICATES, `one.${part}.pem`), 'utf8')).join(''),
    'log/.keep': '',
    'dist/server.js': '',
    'dist/ticker.js': '',
  })
  const check = startMonoceros(['--check-config', 'server.js'], { cwd: folder })
  await check.ended()
  expect(check.stderr.split('\n').filter((line) => !/warning|^$/.test(line))).toEqual([])
  expect(check.stdout).toContain('the settings are good')
})

test.each(numbered(blocks('nginx')))('nginx accepts the configuration in %s.', async (_, { text }) => {
  const folder = temporaryFolder()
  const main = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${text} }`
  const file = join(temporaryFolder({ 'nginx.conf': main }), 'nginx.conf')
  const { code, stderr } = await run('nginx', ['-t', '-q', '-p', folder, '-c', file], {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('logrotate accepts the configuration in docs/logs.md.', async () => {
  const [, text] = /^(\/var\/log\/shop\/\*\.log \{.*?^\})$/ms.exec(read('docs/logs.md')) ?? []
  const folder = temporaryFolder({ shop: `${text}\n` })
  const { code, stderr } = await run('logrotate', ['-d', '-s', join(folder, 'state'), join(folder, 'shop')], {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  expect(stderr).not.toMatch(/^error:/m)
  expect(code).toBe(0)
})

test('Every signal that the arbiter takes has its row in docs/signals.md.', () => {
  const page = read('docs/signals.md')
  const missing = ARBITER_SIGNALS.filter((signal) => !page.includes(`\`${signal.slice(3)}\``))
  expect(missing).toEqual([])
})

test('Every metric is described in docs/metrics.md, and nothing that is none.', () => {
  const worker = { slot: 0, generation: 1, inFlight: 0, connections: 0, lag: 0, rss: 1, cpu: 1 }
  const everything = { workers: [worker], listeners: [{ address: 'a', queued: 0 }], logged: { info: 1 } }
  const metrics = [...exposition(snapshotOf(everything)).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
  const described = [...read('docs/metrics.md').matchAll(/^\|.*$/gm)].flatMap(([row]) =>
    [...row.split('|')[1]!.matchAll(/`(monoceros_\w+)`/g)].map(([, name]) => name!),
  )
  expect(described.sort()).toEqual(metrics.sort())
})

test('Every atom of the access log is described in docs/logs.md.', () => {
  const page = read('docs/logs.md')
  const source = readFileSync(join(ROOT, 'lib', 'log', 'access.ts'), 'utf8')
  const atoms = [...source.matchAll(/^ {2}(\w): \(/gm)].map(([, name]) => name!)
  expect(atoms.length).toBeGreaterThan(15)
  expect(atoms.filter((atom) => !page.includes(`\`%(${atom})s\``))).toEqual([])
})
