/** Loaded with `--require` into `node FILE`, before the app, in a mold: as the worker's hook, but the app is forked. */
import './eager.ts'
import { isMainThread } from 'node:worker_threads'
import { evaluatedMain, whenMainHasBegun } from '../worker/app/main-module.ts'
import { forgetOptions } from '../worker/exec-argv.ts'
import { isCalled } from '../worker/join.ts'
import { AppMold } from './app.ts'
import { compileLazily } from './lazy.ts'

const imports = forgetOptions()
const isMold = isMainThread && isCalled() && process.argv[1] !== undefined
const mold = isMold ? new AppMold(process.argv[1]!) : null
// In the app's own threads as well, where this file is loaded again.
compileLazily()
if (mold !== null)
  whenMainHasBegun(imports, async () => {
    const evaluating = evaluatedMain()
    if ((await mold.loaded(evaluating)) === null) return
    const boot = await mold.serve()
    const exports = await evaluating
    if (exports === null) boot.failed()
    else boot.evaluated(exports.value)
  })
