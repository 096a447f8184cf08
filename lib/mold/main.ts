/** Run as `node main.js FILE EXPORT -- args…`: loads the module once; each forked process serves its export. */
import './eager.ts'
import { pathToFileURL } from 'node:url'
import { forgetOptions } from '../worker/exec-argv.ts'
import { runBeforeApp } from '../worker/hooks/before-app-task.ts'
import { isCalled } from '../worker/join.ts'
import { AppMold } from './app.ts'
import { compileLazily } from './lazy.ts'

const [, , file, name, dashes, ...args] = process.argv
if (!isCalled() || file === undefined || name === undefined || dashes !== '--') {
  process.stderr.write('monoceros: this file is started by the arbiter\n')
  process.exit(2)
}
forgetOptions()
// What the app would find under plain node.
process.argv.splice(1, process.argv.length, file, ...args)
const mold = new AppMold(file)
compileLazily()
// In a constant: inside of `import()` the compiler (7.0) loses where the function came from.
const url = pathToFileURL(file).href
const importApp = (): Promise<unknown> => import(url)
const before = runBeforeApp()
const importing = before === null ? importApp() : before.then(importApp)
mold.loaded(importing).then(
  async () => {
    const boot = await mold.serve()
    await boot.load(importing, name)
  },
  (error) => mold.threw(error),
)
