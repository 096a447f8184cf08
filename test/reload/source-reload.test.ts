/** `reload`: an app in each module system is reloaded when a file that it has imported changes, however that is written. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, type ServiceOptions, serve } from '../arbiter/service.ts'
import { until } from '../support/until.ts'

const COMMONJS = {
  'app.js': `
const http = require('node:http')
const { word } = require('./parts/word')
http.createServer((req, res) => {
  if (req.url === '/late') require('./late.js')
  res.end(word)
}).listen(3000)`,
  'parts/word.js': `exports.word = require('./deep/deeper.json').word`,
  'parts/deep/deeper.json': `{ "word": "first" }`,
  'late.js': '',
}
const ESM = {
  'package.json': '{ "type": "module" }',
  'app.js': `
import http from 'node:http'
import { word } from './parts/word.js'
http.createServer(async (req, res) => {
  if (req.url === '/late') await import('./late.js')
  res.end(word)
}).listen(3000)`,
  'parts/word.js': `import data from './deep/deeper.cjs'\nexport const word = data.word`,
  'parts/deep/deeper.cjs': `module.exports = { word: 'first' }`,
  'late.js': '',
}

type App = { readonly files: Readonly<Record<string, string>>; readonly deepest: string; say(word: string): string }
const APPS: readonly (readonly [string, App])[] = [
  ['CommonJS', { files: COMMONJS, deepest: 'parts/deep/deeper.json', say: (word) => `{ "word": "${word}" }` }],
  ['ESM', { files: ESM, deepest: 'parts/deep/deeper.cjs', say: (word) => `module.exports = { word: '${word}' }` }],
]

function develop(files: App['files'], args: readonly string[] = [], options: ServiceOptions = {}): Service {
  return serve(['--reload', '--startsecs', '0', '--drain-idle', '0.1s', ...args], { ...options, files })
}

/** Does it, and waits until the generation that comes of it serves. */
async function reloadedBy({ program }: Service, change: () => void, named: string): Promise<void> {
  const mark = program.mark()
  change()
  const [line] = await program.line(/files have changed: reload.*/, mark)
  expect(line).toContain(named)
  await program.line('the new generation serves', mark)
}

/** An old worker accepts until it hears that it is to drain. */
const expectSays = (service: Service, word: string): Promise<void> =>
  until(async () => (await service.get()).body === word)

describe.each(APPS)('An app in %s', (_system, { files, deepest, say }) => {
  test('is reloaded when its deepest import is written, renamed over, or gone and back with its folder', async () => {
    const service = develop(files)
    const { program, folder } = service
    const path = join(folder, deepest)
    await program.line('all workers are ready')
    await expectSays(service, 'first')

    await reloadedBy(service, () => writeFileSync(path, say('second')), deepest)
    await expectSays(service, 'second')

    writeFileSync(`${path}.new`, say('third'))
    await reloadedBy(service, () => renameSync(`${path}.new`, path), deepest)
    await expectSays(service, 'third')

    const build = (): void => {
      rmSync(join(folder, 'parts/deep'), { recursive: true })
      mkdirSync(join(folder, 'parts/deep'))
      writeFileSync(path, say('fourth'))
    }
    await reloadedBy(service, build, deepest)
    await expectSays(service, 'fourth')
  })

  test('is reloaded when a file changes that it imported while it served', async () => {
    const service = develop(files)
    await service.program.line('all workers are ready')
    await service.get('/late')
    // What was loaded is reported a moment later; a change of a file that is watched already marks that it has been.
    const late = join(service.folder, 'late.js')
    const changing = setInterval(() => writeFileSync(late, `// ${Date.now()}`), 400)
    await service.program.line(/files have changed: reload .*late\.js/).finally(() => clearInterval(changing))
  })

  test('that is broken serves on as it was, and is reloaded when it is mended or what it misses is there', async () => {
    const service = develop(files)
    const { program, folder } = service
    const path = join(folder, 'parts/word.js')
    await program.line('all workers are ready')
    const failing = async (content: string): Promise<void> => {
      const mark = program.mark()
      writeFileSync(path, content)
      await program.line('reload failed', mark)
      await expectSays(service, 'first')
    }
    await failing('this is no program')
    const imports = files['app.js']!.includes('require') ? `require('./new.js')` : `import './new.js'`
    await failing(`${imports}\n${files['parts/word.js']}`)
    await reloadedBy(service, () => writeFileSync(join(folder, 'parts/new.js'), ''), 'parts/new.js')
    await expectSays(service, 'first')
  })
})

test('extra files and the config file reload as well, and what is not imported does not', async () => {
  const config = (args: string): string =>
    `module.exports = { args: ['${args}'], reloadExtraFiles: ['views/page.html'] }`
  const service = develop({
    'app.js': `require('node:http').createServer((req, res) => res.end(process.argv[2])).listen(3000)`,
    'views/page.html': 'first',
    'other.js': '',
    'monoceros.config.cjs': config('first'),
  })
  const { program, folder } = service
  await program.line('all workers are ready')
  writeFileSync(join(folder, 'other.js'), '// changed')
  await reloadedBy(service, () => writeFileSync(join(folder, 'views/page.html'), 'second'), 'views/page.html')
  await reloadedBy(
    service,
    () => writeFileSync(join(folder, 'monoceros.config.cjs'), config('second')),
    'monoceros.config.cjs',
  )
  await expectSays(service, 'second')
  expect(program.output).not.toMatch(/reload files=.*other\.js/)
})

test('several files that change together reload once', async () => {
  const service = develop(COMMONJS)
  const { program, folder } = service
  await program.line('all workers are ready')
  const mark = program.mark()
  writeFileSync(join(folder, 'parts/word.js'), `${COMMONJS['parts/word.js']} // changed`)
  writeFileSync(join(folder, 'parts/deep/deeper.json'), `{ "word": "second" }`)
  await program.line('the new generation serves', mark)
  expect(program.output.slice(mark).match(/files have changed: reload .*word\.js.*deeper\.json/g)).toHaveLength(1)
  await expectSays(service, 'second')
})

test('without the setting nothing is watched, and with preload it is refused', async () => {
  const service = serve(['--startsecs', '0'], { files: COMMONJS })
  const { program, folder } = service
  await program.line('all workers are ready')
  writeFileSync(join(folder, 'parts/deep/deeper.json'), `{ "word": "second" }`)
  const mark = program.mark()
  program.signal('SIGHUP')
  await program.line('the new generation serves', mark)
  expect(program.output).not.toContain('files have changed')
  const refused = serve(['--reload', '--preload'])
  expect(await refused.program.ended()).toMatchObject({ code: 2 })
  expect(refused.program.output).toContain('reload')
})
