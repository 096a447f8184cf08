/** Loaded as the last `--import`: the main module is what Node evaluates next. */
import { isMainThread } from 'node:worker_threads'
import { mainIsNext } from './app/main-module.ts'

if (isMainThread) mainIsNext()
