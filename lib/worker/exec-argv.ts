/** Takes our own options out of what the app finds. */
import { BEFORE_APP, BEGUN, HOOK, MOLD_HOOK, MOLD_OPTIONS } from '../channel/command.ts'

/**
 * Takes them out of `process.execArgv`, which `child_process.fork` hands on. True: `begun.js` is among them and will be
 * evaluated before the main module.
 */
export const forgetOptions = (execArgv: string[] = process.execArgv): boolean => {
  const remove = (option: string, value: string): boolean => {
    const at = execArgv.findIndex((each, index) => each === option && execArgv[index + 1] === value)
    if (at >= 0) execArgv.splice(at, 2)
    return at >= 0
  }
  remove('--require', HOOK)
  remove('--require', MOLD_HOOK)
  remove('--import', BEFORE_APP)
  for (const option of MOLD_OPTIONS) {
    const at = execArgv.indexOf(option)
    if (at >= 0) execArgv.splice(at, 1)
  }
  return remove('--import', BEGUN)
}
