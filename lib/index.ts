/** What an app or a config file may import from monoceros. */
import type { UserConfig } from './config/settings.ts'

export type { Duration, Size } from './config/codecs/numbers.ts'
export type { CompanionInput } from './config/companions.ts'
export type { HookExit, HookServer, HookWorker } from './config/settings/hooks.ts'
export type { UserConfig } from './config/settings.ts'

type MadeConfig = () => UserConfig | Promise<UserConfig>

/**
 * Gives a config file types: `export default defineConfig({ … })`, or a function or a promise of that. Returns what it
 * is given.
 */
// The function first: the compiler sees what it returns in the light of the first signature alone.
export function defineConfig(config: MadeConfig): MadeConfig
export function defineConfig(config: Promise<UserConfig>): Promise<UserConfig>
export function defineConfig(config: UserConfig): UserConfig
export function defineConfig(config: unknown): unknown {
  return config
}
export { type ForkHook, postFork, preFork } from './mold/hooks.ts'
