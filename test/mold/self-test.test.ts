/** What `--check-config` says about preload on this machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WAYS } from '../../lib/mold/self-test.ts'
import { serve } from '../arbiter/service.ts'
import { faults } from '../support/faults.ts'
import { temporaryFolder } from '../support/folder.ts'
import { dist, run } from '../support/process.ts'

const app = (): string => `${temporaryFolder({ 'app.js': 'module.exports = (req, res) => res.end()' })}/app.js`

const tested = (node: string) =>
  run(process.execPath, [
    '-e',
    `const { loadKernel } = require('${dist('kernel/addon.js')}')
    require('${dist('mold/self-test.js')}').testPreload(loadKernel(), '${node}').then((why) => {
      console.log(why)
      console.log(require('node:fs').readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8') === '')
    })`,
  ])

test('--check-config forks a mold of its own, once for each way to end', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [
    dist('cli/monoceros.js'),
    '--check-config',
    '--preload',
    app(),
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('the settings are good')
})

test('there are seven ways to end', () => {
  expect(Object.keys(WAYS)).toEqual(['natural', 'exitCode', 'exit', 'throw', 'reject', 'unsettled', 'signal'])
})

test('nothing is left of a self-test that went well', async () => {
  expect((await tested(process.execPath)).stdout).toBe('null\ntrue\n')
})

test('nor of one whose mold does not come up, which is said', async () => {
  expect((await tested('/bin/false')).stdout).toBe('the mold of the self-test did not come up\ntrue\n')
})

/** Names of functions and tables in the Node binary that preload stands on: of those in `insides.h`, this Node's. */
const platform = (): readonly string[] => {
  const [before] = readFileSync(join(__dirname, '../../native/insides.h'), 'utf8').split('// The JavaScript stack')
  const names = [...before!.matchAll(/"(\w+)"(?:\s+"(\w+)")?/g)].map(([, first, rest = '']) => `${first}${rest}`)
  expect(names).toHaveLength(10)
  const [table, post, postBefore, delayed, delayedBefore, ...exit] = names
  return [table!, ...(process.version.startsWith('v20.') ? [postBefore!, delayedBefore!] : [post!, delayed!]), ...exit]
}

describe.each(platform())('a Node without %s', (symbol) => {
  const env = () => faults({ LACKS: symbol })

  test('is refused with that name by --check-config', async () => {
    const command = [dist('cli/monoceros.js'), '--check-config', '--preload', app()]
    const { code, stderr } = await run(process.execPath, command, { env: env() })
    expect(code).toBe(2)
    expect(stderr).toContain(symbol)
  })

  test('is refused with that name at the start, before the app is loaded', async () => {
    const { program } = serve(['--preload'], { files: { 'app.js': `console.log('loaded')` }, env: env() })
    expect((await program.ended()).code).toBe(3)
    expect(program.output).toMatch(new RegExp(`preload is not possible: this Node .* lacks .*${symbol}`))
    expect(program.output).not.toMatch(/^loaded/m)
  })

  test('serves without preload, loudly, where that is permitted', async () => {
    const service = serve(['--preload', '--preload-fallback'], { env: env() })
    await service.program.line(new RegExp(`preload is given up, .*${symbol}`))
    await service.program.line('all workers are ready')
    expect((await service.get()).status).toBe(200)
  })
})
