/** What is done about hooks before the app is evaluated: they are loaded, and the one that TLS is made by is called. */
import { WORKER_HOOKS } from '../../config/settings/hooks.ts'
import type { WorkerSettings } from '../../config/settings.ts'
import type { TlsOptions } from '../../http/tls.ts'
import type { Faults } from '../app/faults.ts'
import type { Servers } from '../serve.ts'
import { setBeforeApp } from './before-app-task.ts'
import { demand, loadHooks } from './load.ts'
import type { RequestHooks } from './request-hooks.ts'
import { sslContext } from './ssl-context.ts'

export type HookParts = {
  readonly settings: WorkerSettings
  readonly faults: Faults
  readonly hooks: RequestHooks
  readonly servers: Servers
  /** What is made of the settings; undefined: there is no TLS in front of the app. */
  readonly tls: TlsOptions | undefined
  readonly warn: (text: string) => void
}

/** What goes wrong ends the boot. */
export function prepareHooks({ settings, faults, hooks, servers, tls, warn }: HookParts): void {
  const { hooksFile: file, certfile, hookTimeout: timeout } = settings
  if (file === null) return
  const prepare = async (): Promise<void> => {
    const functions = await loadHooks(file)
    const names = WORKER_HOOKS.filter((name) => settings.hooks.includes(name))
    demand(file, functions, names)
    hooks.use(functions)
    if (certfile === null || tls === undefined || !names.includes('sslContext')) return
    const { keyfile, caCerts, certReqs, ciphers, tlsMinVersion } = settings
    const config = { certfile, keyfile, caCerts, certReqs, ciphers, tlsMinVersion }
    servers.useTls(await sslContext(functions, { config, options: tls, timeout, warn }))
  }
  setBeforeApp(() => waitingFor(file, faults, prepare()))
}

/** Ends the boot where this fails, or never comes to an end. */
export async function waitingFor(file: string, faults: Faults, done: Promise<void>): Promise<void> {
  const { idle } = faults
  faults.idle = `hooks: ${file} waits for something that never comes (an await that nothing settles)`
  await done.catch((error: unknown) => faults.end({ fault: 'unsupported', text: (error as Error).message }))
  faults.idle = idle
}
