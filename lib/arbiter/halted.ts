/** How the arbiter ends when the first generation is hopeless. Pure. */
import type { AppFault } from '../channel/messages.ts'
import { EXIT_CODE } from '../exit-codes.ts'
import type { Notice } from './surroundings.ts'

type Halted = Extract<Notice, { kind: 'halted' }>

/** What a worker says of settings that only it could try. */
const SETTING: AppFault = 'setting'

/** The exit code, and what it means in words. */
export function haltedAs({ cause, trouble }: Pick<Halted, 'cause' | 'trouble'>): { code: number; words: string } {
  if (cause === 'bootFailed') return { code: EXIT_CODE.boot, words: 'workers fail to boot' }
  if ('fault' in trouble && trouble.fault?.fault === SETTING)
    return { code: EXIT_CODE.usage, words: 'the settings cannot be used' }
  return { code: EXIT_CODE.app, words: 'the app cannot be served' }
}
