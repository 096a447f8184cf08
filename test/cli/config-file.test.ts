/** Config files of every kind, evaluated for real. */

import { temporaryFolder } from '../support/folder.ts'
import { isAlive } from '../support/proc.ts'
import { dist, startNode } from '../support/process.ts'
import { until } from '../support/until.ts'
import { HINT, monoceros } from './support.ts'

/** What `workers` is with these files. */
async function workers(files: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<unknown> {
  const found = await monoceros(['--print-config', '--json', ...args], files)
  if (found.code !== 0) throw new Error(found.stderr.join('\n'))
  return JSON.parse(found.stdout).workers
}

/** The lines that refuse this file. */
async function refusal(name: string, text: string): Promise<string[]> {
  const found = await monoceros(['--check-config', 'app.js'], { [name]: text, 'app.js': '' })
  expect([found.code, found.stdout, found.stderr.at(-1)]).toEqual([2, '', HINT])
  return found.stderr.slice(0, -1)
}

test.each([
  ['monoceros.config.mjs', 'export default { workers: 7 }'],
  ['monoceros.config.cjs', 'module.exports = { workers: 7 }'],
  ['monoceros.config.js', 'module.exports = { workers: 7 }'],
  ['monoceros.config.json', '{"workers": 7}'],
  ['monoceros.config.json', '\uFEFF{"workers": 7}'],
  ['monoceros.config.mjs', 'import { defineConfig } from "monoceros"; export default defineConfig({ workers: 7 })'],
  [
    'monoceros.config.cjs',
    'const { defineConfig } = require("monoceros"); module.exports = defineConfig({ workers: 7 })',
  ],
  ['monoceros.config.mjs', 'export default async () => ({ workers: await 7 })'],
  ['monoceros.config.cjs', 'module.exports = Promise.resolve({ workers: 7 })'],
  [
    'monoceros.config.cjs',
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = { workers: 7 }',
  ],
  ['monoceros.config.mjs', 'setInterval(() => {}, 1000); export default { workers: 7 }'],
  [
    'monoceros.config.mjs',
    'import { readFileSync } from "node:fs"; export default JSON.parse(readFileSync("data", "utf8"))',
  ],
])('%s: %s', async (name, text) => {
  expect(await workers({ [name]: text, data: '{"workers": 7}' })).toBe(7)
})

test('a .js file is what its package says', async () => {
  expect(
    await workers({ 'monoceros.config.js': 'export default { workers: 7 }', 'package.json': '{"type": "module"}' }),
  ).toBe(7)
})

test('a file may be named, and sees the environment', async () => {
  expect(await workers({ 'conf/my config.mjs': 'export default { workers: 7 }' }, ['-c', 'conf/my config.mjs'])).toBe(7)
})

test('an empty configuration is one', async () => {
  expect(await workers({ 'monoceros.config.mjs': 'export default {}' })).toBe(1)
})

test('TypeScript is read where Node strips types, and refused with that reason where not', async () => {
  const files = { 'monoceros.config.ts': 'export default { workers: 7 as number }\n', 'app.js': '' }
  if ((process.features as { typescript?: unknown }).typescript) expect(await workers(files)).toBe(7)
  else
    expect(await refusal('monoceros.config.ts', files['monoceros.config.ts'])).toEqual([
      `monoceros.config.ts: Node ${process.version} cannot load TypeScript; use Node 22.18 or later, or a .mjs, .cjs, .js or .json file`,
    ])
})

test('what the file prints goes to stderr, before and after', async () => {
  const found = await monoceros(['--print-config', '--json'], {
    'monoceros.config.mjs': 'console.log("hello"); process.stdout.write("there\\n"); export default { workers: 7 }',
  })
  expect(JSON.parse(found.stdout).workers).toBe(7)
  expect(found.stderr).toEqual(['hello', 'there'])
})

describe('a file is refused in one line, its own error shown and no stack of ours,', () => {
  test.each<[string, string, string | RegExp]>([
    [
      'monoceros.config.mjs',
      'export default {}\n\nnothing.at.all()',
      'monoceros.config.mjs:3:1: ReferenceError: nothing is not defined',
    ],
    ['monoceros.config.cjs', 'throw new TypeError("first\\nsecond")', 'monoceros.config.cjs:1:7: TypeError: first'],
    ['monoceros.config.mjs', 'throw { reason: 5 }', 'monoceros.config.mjs: threw {"reason":5}'],
    [
      'monoceros.config.mjs',
      'export default {\n  workers: 7,,\n}',
      "monoceros.config.mjs:2: SyntaxError: Unexpected token ','",
    ],
    ['monoceros.config.cjs', 'module.exports = {', /^monoceros.config.cjs:\d+: SyntaxError: /],
    [
      'monoceros.config.mjs',
      'import "./none.mjs"',
      /^monoceros.config.mjs: Error: Cannot find module '.*none.mjs' imported from .*$/,
    ],
    [
      'monoceros.config.cjs',
      'require("./none.js")',
      /^monoceros.config.cjs:1:1: Error: Cannot find module '.\/none.js'$/,
    ],
    [
      'monoceros.config.mjs',
      'export default () => { throw new Error("later") }',
      'monoceros.config.mjs:1:30: Error: later',
    ],
    [
      'monoceros.config.mjs',
      'export default new Promise(() => {})',
      'monoceros.config.mjs: waits for something that never comes (an await that nothing settles)',
    ],
    [
      'monoceros.config.mjs',
      'await new Promise(() => {})',
      'monoceros.config.mjs: waits for something that never comes (an await that nothing settles)',
    ],
    [
      'monoceros.config.mjs',
      'Promise.reject(new Error("lost")); await new Promise(() => {})',
      'monoceros.config.mjs:1:16: Error: lost',
    ],
    [
      'monoceros.config.mjs',
      'export const workers = 3',
      'monoceros.config.mjs: has no default export, but exports workers; it needs "export default { … }"',
    ],
    ['monoceros.config.mjs', '', 'monoceros.config.mjs: exports nothing; it needs a default export, or module.exports'],
    [
      'monoceros.config.cjs',
      'exports = { workers: 3 }',
      'monoceros.config.cjs: exports nothing; it needs a default export, or module.exports',
    ],
    ['monoceros.config.mjs', 'export default [1]', 'monoceros.config.mjs: exports [1]; allowed: an object of settings'],
    [
      'monoceros.config.mjs',
      'process.exit(7)',
      'monoceros.config.mjs: ended its evaluation with exit code 7 before it exported anything',
    ],
    [
      'monoceros.config.mjs',
      'process.kill(process.pid, "SIGTERM"); await new Promise((done) => setTimeout(done, 20_000))',
      'monoceros.config.mjs: ended its evaluation by SIGTERM',
    ],
    ['monoceros.config.json', '{\n  "workers": 3,\n}', /^monoceros.config.json: is not JSON: /],
  ])('%s: %s', async (name, text, complaint) => {
    const lines = await refusal(name, text)
    expect(lines).toEqual([typeof complaint === 'string' ? complaint : expect.stringMatching(complaint)])
  })
})

test('what is no plain data is named, and functions are at home in hooks only', async () => {
  expect(
    await refusal(
      'monoceros.config.mjs',
      'export default { workers: () => 3, bind: new URL("http://a"), timeout: 5n, hooks: { onExit() {}, onExti() {} } }',
    ),
  ).toEqual([
    'monoceros.config.mjs: workers: got a function; allowed: a whole number from 1 to 512, or "auto"',
    'monoceros.config.mjs: bind: got an object of class URL; allowed: "host:port", "[v6]:port", ":port", a port, "unix:PATH" or "fd://N"',
    'monoceros.config.mjs: timeout: got a bigint; allowed: a duration from 0 up to 24h: seconds, or a text such as "250ms", "30s", "5m"',
    'monoceros.config.mjs: hooks.onExti: no such setting; did you mean "onExit"?',
  ])
})

test.each(['while (true) {}', 'await new Promise((done) => setTimeout(done, 100_000))'])(
  'a file that hangs is given up: %s',
  async (text) => {
    const folder = temporaryFolder({ 'monoceros.config.mjs': text })
    const program = startNode(require.resolve('../config/evaluate.js'), ['300'], { cwd: folder })
    expect(await program.ended()).toEqual({ code: 0, signal: null })
    expect(program.output).toBe('monoceros.config.mjs: was not evaluated within 0.3 s\n')
  },
)

test.each(['NODE_OPTIONS', 'MONOCEROS_NODE_OPTIONS'])(
  'the file is evaluated with the options in %s',
  async (variable) => {
    const files = {
      'monoceros.config.mjs': 'export default { workers: globalThis.loaded }',
      'hook.cjs': 'globalThis.loaded = 7',
    }
    const found = await monoceros(['--print-config', '--json'], files, { [variable]: '--require ./hook.cjs' })
    expect(JSON.parse(found.stdout).workers).toBe(7)
  },
)

test('a file that exports without end is given up', async () => {
  expect(await refusal('monoceros.config.mjs', 'export default { args: Array(20).fill("x".repeat(2 ** 20)) }')).toEqual(
    [expect.stringMatching(/: exports more than 16 MB$/)],
  )
})

test('a file that is killed is not said to be slow or large', async () => {
  expect(await refusal('monoceros.config.mjs', 'process.kill(process.pid, "SIGKILL")')).toEqual([
    'monoceros.config.mjs: ended its evaluation by SIGKILL',
  ])
})

test('whoever is killed while a file is evaluated leaves nothing of that', async () => {
  const folder = temporaryFolder({
    'monoceros.config.mjs': 'console.log("pid", process.pid); for (;;);',
    'app.js': '',
  })
  const program = startNode(dist('cli/monoceros.js'), ['app.js'], { cwd: folder })
  const pid = Number((await program.line(/^pid (\d+)/m))[1])
  program.signal('SIGKILL')
  await program.ended()
  await until(() => !isAlive(pid))
})

test('a folder that is named as the file has its name in the error', async () => {
  const found = await monoceros(['--check-config', '-c', '.', 'app.js'], { 'app.js': '' })
  expect(found.stderr[0]).toBe('/here: is a folder')
})
