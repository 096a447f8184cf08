/**
 * Loaded as the first `--import`, in a process whose config file has hooks for workers: the app is evaluated when they are
 * there. An ES module, because only these can wait. In threads of the app there is nothing to do.
 */
import { runBeforeApp } from './before-app-task.js'

await runBeforeApp()
