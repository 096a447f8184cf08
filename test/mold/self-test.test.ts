/** What `--check-config` says about preload on this machine. */
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
}, 60_000)

test('nothing is left of a self-test that went well', async () => {
  expect((await tested(process.execPath)).stdout).toBe('null\ntrue\n')
}, 60_000)

test('nor of one whose mold does not come up, which is said', async () => {
  expect((await tested('/bin/false')).stdout).toBe('the mold of the self-test did not come up\ntrue\n')
})
