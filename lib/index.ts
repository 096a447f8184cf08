/** What an app or a config file may import from monoceros. */
import type { UserConfig } from './config/settings.ts'

export type { Duration, Size } from './config/codecs/numbers.ts'
export type { CompanionInput } from './config/companions.ts'
export type { HookExit, HookServer, HookWorker } from './config/settings/hooks.ts'
export type { UserConfig } from './config/settings.ts'

/** Gives a config file types: `export default defineConfig({ … })`. Returns what it is given. */
export const defineConfig = (config: UserConfig): UserConfig => config
export { type ForkHook, postFork, preFork } from './mold/hooks.ts'
