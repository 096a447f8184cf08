import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { run, startNode } from '../support/process.ts'

const ROOT = join(__dirname, '..', '..')
const NOT_COPIED = ['node_modules', 'dist', 'build', 'prebuilds', '.git', 'coverage']

/** A copy of the sources, as somebody who publishes has it, and what comes of installing its tarball elsewhere. */
const copy = join(temporaryFolder(), 'copy')
const target = temporaryFolder({ 'package.json': '{ "name": "user", "version": "1.0.0", "private": true }\n' })
const installed = join(target, 'node_modules', 'monoceros')

beforeAll(async () => {
  cpSync(ROOT, copy, { recursive: true, filter: (from) => !NOT_COPIED.includes(basename(from)) })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  // Nobody has to think of the binary: packing makes it (prepack).
  await succeed('npm', ['pack', '--pack-destination', target], copy)
  const tarball = readdirSync(target).find((name) => name.endsWith('.tgz'))!
  await succeed('npm', ['install', '--ignore-scripts', '--prefer-offline', join(target, tarball)], target)
}, 300_000)

async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { cwd, patience: 200_000 })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout
}

test('The package has the built code, the binary, the sources to build it elsewhere, and nothing of ours besides.', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(installed, name)).isFile(),
  )
  expect(files).toEqual(
    expect.arrayContaining([
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'binding.gyp',
      'native/addon.cc',
      'native/install.js',
      'prebuilds/linux-x64/monoceros.node',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/monoceros.js',
      'dist/cli/monocerosctl.js',
    ]),
  )
  expect(
    files.filter((name) => !/^(dist|docs|native|prebuilds)\/|^[^/]+\.(json|md|gyp)$|^LICENSE$/.test(name)),
  ).toEqual([])
  expect(files.filter((name) => /\.(test|tgz|o)\b/.test(name))).toEqual([])
})

test('Installed with scripts disabled, the addon loads and the commands run.', async () => {
  expect(existsSync(join(installed, 'build'))).toBe(false)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const command = (name: string): string => join(target, 'node_modules', '.bin', name)
  expect(await succeed(command('monoceros'), ['--version'], target)).toContain(version)
  expect(await succeed(command('monocerosctl'), ['--help'], target)).toContain('monocerosctl')
  const { stdout } = await run(process.execPath, [
    '-p',
    `require(${JSON.stringify(join(installed, 'dist', 'kernel', 'addon.js'))}).loadKernel().getpid() === process.pid`,
  ])
  expect(stdout).toBe('true\n')
})

test('The install script is content with a binary that loads, and asks for the compiler where it does not.', async () => {
  // An empty PATH: whoever looks for node-gyp does not find it.
  const env = { PATH: '/nowhere' }
  expect((await run(process.execPath, ['native/install.js'], { cwd: installed, env })).code).toBe(0)
  const broken = temporaryFolder({ 'prebuilds/linux-x64/monoceros.node': 'not a binary' })
  cpSync(join(installed, 'native'), join(broken, 'native'), { recursive: true })
  expect((await run(process.execPath, ['native/install.js'], { cwd: broken, env })).code).not.toBe(0)
})

test('The types are complete for a project that checks them strictly.', async () => {
  writeFileSync(
    join(target, 'right.mts'),
    "import { defineConfig } from 'monoceros'\nexport default defineConfig({ workers: 2 })\n",
  )
  writeFileSync(
    join(target, 'wrong.mts'),
    "import { defineConfig } from 'monoceros'\nexport default defineConfig({ workerz: 2 })\n",
  )
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--typeRoots',
    join(ROOT, 'node_modules/@types'),
    '--types',
    'node',
  ]
  const check = (file: string) => run(process.execPath, [tsc, ...args, file], { cwd: target })
  expect(await check('right.mts')).toMatchObject({ code: 0, stdout: '' })
  expect((await check('wrong.mts')).stdout).toContain("'workerz' does not exist")
})

test('The installed command serves an app.', async () => {
  writeFileSync(
    join(target, 'app.js'),
    "require('node:http').createServer((_, res) => res.end('served\\n')).listen(3000)\n",
  )
  const socket = join(temporaryFolder(), 'app.sock')
  const server = startNode(join(installed, 'dist', 'cli', 'monoceros.js'), ['app.js', '--bind', `unix:${socket}`], {
    cwd: target,
  })
  await server.line('worker ready')
  expect((await ask({ path: socket })).body).toBe('served\n')
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))
