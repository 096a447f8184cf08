/** Run as `node main.js FILE EXPORT -- args…`: serves what a module exports. */
import { importFile } from './app/import-file.ts'
import { runBeforeApp } from './hooks/before-app-task.ts'
import { isCalled } from './join.ts'
import { startWorker } from './start.ts'

const [, , file, name, dashes, ...args] = process.argv
if (!isCalled() || file === undefined || name === undefined || dashes !== '--') {
  process.stderr.write('monoceros: this file is started by the arbiter\n')
  process.exit(2)
}
// What the app would find under plain node.
process.argv.splice(1, process.argv.length, file, ...args)
const boot = startWorker(file)
const before = runBeforeApp()
void boot.load(before === null ? importFile(file) : before.then(() => importFile(file)), name)
