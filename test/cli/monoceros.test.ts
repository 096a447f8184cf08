import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { HINT, monoceros } from './support.ts'

const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'))

test('--help and --version print and do nothing else, whatever else is wrong', async () => {
  const help = await monoceros(['--help', '--nonsense'])
  expect([help.code, help.stdout.split('\n')[0], help.stderr]).toEqual([
    0,
    'Usage: monoceros [flags] APP[:EXPORT] [-- app arguments]',
    [],
  ])
  const about = await monoceros(['-v'])
  expect([about.code, about.stdout]).toEqual([0, `monoceros ${version} (Node ${process.version})\n`])
})

test('bad usage is one line a problem and a hint, and exit code 2', async () => {
  const nothing = await monoceros([])
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    ['APP: is missing; needed: a file such as "server.js", or "app.js:createApp" for an export', HINT],
  ])
  const wrong = await monoceros(['server.js', '--wokers', '3', '-w', '0'], {}, { WEB_CONCURRENCY: '-1' })
  expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([
    2,
    '',
    [
      '--wokers: no such flag; did you mean "--workers"?',
      'WEB_CONCURRENCY: got -1; allowed: a whole number from 1 to 512, or "auto"',
      '-w (workers): got 0; allowed: a whole number from 1 to 512, or "auto"',
      HINT,
    ],
  ])
})

test('--json alone starts nothing', async () => {
  for (const more of [[], ['--check-config']]) {
    const found = await monoceros(['app.js', '--json', ...more], { 'app.js': 'console.log("started")' })
    expect([found.code, found.stdout, found.stderr]).toEqual([2, '', ['--json: belongs to --print-config', HINT]])
  }
})

test('an app that is not there is one line and exit code 4', async () => {
  const found = await monoceros(['none.js:app'])
  expect([found.code, found.stdout, found.stderr]).toEqual([4, '', ['app: none.js: no such file (/here/none.js)']])
})

test('--check-config says that all is well, or what is not, and starts nothing', async () => {
  const files = { 'server.js': 'console.log("started")', 'monoceros.config.json': '{"workers": 2}' }
  const well = await monoceros(['--check-config', 'server.js'], files)
  expect([well.code, well.stdout, well.stderr]).toEqual([
    0,
    `monoceros: the settings are good (${well.folder}/monoceros.config.json)\n`,
    [],
  ])
  expect((await monoceros(['--check-config', 'none.js'], files)).code).toBe(4)
  expect((await monoceros(['--check-config', 'server.js', '-w', 'x'], files)).code).toBe(2)
})

test('--print-config shows every value and where it comes from, and no secret', async () => {
  const found = await monoceros(['--print-config', '-w', '3', '-e', 'TOKEN=hush', '-b', ':80,unix:a'], {
    'monoceros.config.json': '{"timeout": 90}',
  })
  expect(found.code).toBe(0)
  const lines = Object.fromEntries(found.stdout.split('\n').map((line) => line.split(/ += /) as [string, string]))
  expect(lines).toMatchObject({
    workers: '3  # -w',
    timeout: '"90s"  # monoceros.config.json',
    backlog: '2048',
    bind: `["0.0.0.0:80","unix:${found.folder}/a"]  # -b`,
    env: '{"TOKEN":"(hidden)"}  # -e',
  })
  expect(found.stdout).not.toContain('hush')
})

test('--print-config --json is a config file that means the same', async () => {
  const args = [
    '-w',
    '3',
    '--keep-alive',
    '0.25',
    '--pid',
    'x.pid',
    '--max-memory',
    '300mb',
    '--no-control-socket',
    '-b',
    '[::1]:80',
    'a.js:b',
    '--',
    'x',
  ]
  const first = await monoceros(['--print-config', '--json', ...args])
  const second = await monoceros(['--print-config', '--json'], { 'monoceros.config.json': first.stdout })
  expect(JSON.parse(first.stdout)).toMatchObject({
    workers: 3,
    keepalive: '250ms',
    maxMemory: '300mb',
    controlSocket: false,
    app: 'a.js:b',
    args: ['x'],
  })
  expect([second.stdout, second.code]).toEqual([first.stdout, 0])
})

test('a reader that leaves early is no failure', async () => {
  const { run } = await import('../support/process.ts')
  const { dist } = await import('../support/process.ts')
  const found = await run('sh', ['-c', `"${process.execPath}" "${dist('cli/monoceros.js')}" --help | head -1; true`])
  expect([found.stdout, found.stderr]).toEqual(['Usage: monoceros [flags] APP[:EXPORT] [-- app arguments]\n', ''])
})

test('monocerosctl in a working directory that is gone looks for what runs as ever', async () => {
  const { run, dist } = await import('../support/process.ts')
  const { temporaryFolder } = await import('../support/folder.ts')
  const folder = temporaryFolder()
  const script = `mkdir gone; cd gone; rmdir ../gone; exec "${process.execPath}" "${dist('cli/monocerosctl.js')}" status`
  const found = await run('sh', ['-c', script], { cwd: folder, env: { TMPDIR: folder, XDG_RUNTIME_DIR: undefined } })
  expect([found.code, found.stderr]).toEqual([4, expect.stringMatching(/^monocerosctl: no monoceros answers in .*\n$/)])
})

test('a working directory that is gone is one line', async () => {
  const { run, dist } = await import('../support/process.ts')
  const script = `mkdir gone; cd gone; rmdir ../gone; exec "${process.execPath}" "${dist('cli/monoceros.js')}" app.js`
  const { temporaryFolder } = await import('../support/folder.ts')
  const found = await run('sh', ['-c', script], { cwd: temporaryFolder() })
  expect([found.code, found.stderr]).toEqual([2, 'monoceros: the working directory does not exist any more\n'])
})

test('a package without a binary is one line that says how to build it', async () => {
  const { run, dist } = await import('../support/process.ts')
  const { temporaryFolder } = await import('../support/folder.ts')
  const folder = temporaryFolder({ 'app.js': '' })
  const root = dist('..')
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const { code, stderr } = await run(process.execPath, [join(folder, 'dist/cli/monoceros.js'), 'app.js'], {
    cwd: folder,
  })
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^monoceros: no binary for linux-\w+ loads; build it with "npm rebuild monoceros" .*\n$/),
  ])
})

describe("options that Node does not take are the setting's problem, and nothing is started:", () => {
  test.each<[string, readonly string[], RegExp]>([
    ['one that does not exist', ['--node-options=--nonsense'], /: bad option: --nonsense$/],
    ['a value that cannot be', ['--node-options', '--expose-gc --stack-size=big'], /: .*--stack-size=big/],
    ['a file that is not there', ['--node-options=--env-file=.none'], /: \.none: not found$/],
  ])('%s', async (_, args, why) => {
    for (const more of [[], ['--check-config']]) {
      const { code, stderr } = await monoceros(['app.js', ...args, ...more], { 'app.js': '' })
      expect([code, stderr]).toEqual([2, [expect.stringMatching(why), HINT]])
      expect(stderr[0]).toContain(`--node-options (nodeOptions): Node ${process.version} does not take them`)
    }
  })

  test("those of a companion, and of its folder's files", async () => {
    const companions = [
      { name: 'good', target: './side.js:run', nodeOptions: ['--env-file=here', '--expose-gc'], cwd: 'sub' },
      { name: 'bad', target: './side.js:run', nodeOptions: ['--nonsense'] },
    ]
    const files = { 'app.js': '', 'sub/here': 'A=1', 'monoceros.config.json': JSON.stringify({ companions }) }
    const { code, stderr } = await monoceros(['app.js', '--check-config'], files)
    expect([code, stderr]).toEqual([
      2,
      [
        expect.stringMatching(/^monoceros\.config\.json: companions\[1\]\.nodeOptions: .*: bad option: --nonsense$/),
        HINT,
      ],
    ])
  })

  test('what Node takes is neither run nor loaded', async () => {
    const files = { 'app.js': '', 'loud.js': 'console.error("loaded")' }
    const args = ['app.js', '--node-options', '--require ./loud.js --max-old-space-size=99 loud.js', '--check-config']
    expect(await monoceros(args, files)).toMatchObject({ code: 0, stderr: [] })
  })
})
