/**
 * Loaded with `--require` into `node FILE`, before the app: the app's file is Node's own entry, so that `require.main`,
 * `import.meta.main` and `process.argv` are as under plain node, and a CommonJS app is loaded by the CommonJS loader.
 */
import { isMainThread } from 'node:worker_threads'
import { evaluatedMain, whenMainHasBegun } from './app/main-module.ts'
import { forgetOptions } from './exec-argv.ts'
import { isCalled } from './join.ts'
import { startWorker } from './start.ts'

// `--require` is inherited by the app's own threads.
const imports = forgetOptions()
if (isMainThread && isCalled() && process.argv[1] !== undefined) {
  const boot = startWorker(process.argv[1])
  whenMainHasBegun(imports, async () => {
    const exports = await evaluatedMain()
    if (exports === null) boot.failed()
    else boot.evaluated(exports.value)
  })
}
