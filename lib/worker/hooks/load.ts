/** The hooks of the config file that run where requests are served, as functions. */
import { exportedConfig } from '../../config/exported.ts'
import type { WorkerHookFunctions, WorkerHookName } from '../../config/settings/hooks.ts'
import { importFile } from '../app/import-file.ts'
import { oneLine } from './one-line.ts'

/** Kept, because processes that are forked from this one have them already. */
let loaded: WorkerHookFunctions | null = null

/** Once a process. Rejects with an error of one line that names the file. */
export async function loadHooks(file: string): Promise<WorkerHookFunctions> {
  loaded ??= await evaluate(file)
  return loaded
}

/** Throws an error of one line where one of them is not there: the file may say something else in another process. */
export function demand(file: string, functions: WorkerHookFunctions, names: readonly WorkerHookName[]): void {
  for (const name of names)
    if (typeof functions[name] !== 'function')
      throw new Error(`hooks: ${file} has no hook ${name} when it is loaded in a worker`)
}

async function evaluate(file: string): Promise<WorkerHookFunctions> {
  try {
    const module = (await importFile(file)) as Readonly<Record<string, unknown>>
    const config = (await exportedConfig(module)) as { readonly hooks?: WorkerHookFunctions } | undefined
    return config?.hooks ?? {}
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException | null)?.code === 'EACCES'
    const need = denied ? '; with hooks for workers it must be readable to their user' : ''
    throw new Error(`hooks: ${file} cannot be loaded in a worker: ${oneLine(error)}${need}`)
  }
}
