/**
 * The first steps of an image that goes on where another one of this process was. Whatever goes wrong before it has
 * committed ends the process, and by that the image before is executed again (`native/image.cc`).
 */

import type { LoadedConfig } from '../../config/load.ts'
import { loadConfig } from '../../config/load.ts'
import { type Config, SETTING_NAMES } from '../../config/settings.ts'
import { loadImage, loadKernel } from '../../kernel/addon.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Log } from '../../log/log.ts'
import { type Fd, fd } from '../../units.ts'
import { VERSION } from '../../version.ts'
import { Generations } from '../generations/generations.ts'
import { Listeners } from '../listeners/listeners.ts'
import { rememberLimit } from '../manager/companions.ts'
import { openLog } from '../outputs.ts'
import { Service } from '../service.ts'
import { type ArbiterState, descriptorsOf, readState } from './state.ts'
import { FAILED_VARIABLE, STATE_VARIABLE } from './words.ts'

/** Serves until a signal says otherwise; the exit code. Rejects where it cannot go on. */
export async function resumeArbiter(): Promise<number> {
  const kernel = loadKernel()
  const image = loadImage()
  const memory = fd(Number(process.env[STATE_VARIABLE]))
  const failed = process.env[FAILED_VARIABLE] !== undefined
  delete process.env[STATE_VARIABLE]
  if (!image.isPreloaded()) throw new Error('this image of the arbiter was not preloaded')
  const state = readState(kernel, kernel.dup(memory))
  const loaded = await complete(state)
  closeOnExec(kernel, [...descriptorsOf(state), memory])
  const listeners = new Listeners(kernel)
  listeners.inherit(state.listeners)
  listeners.own()
  const log = openLogOf(loaded, kernel)
  rememberLimit(state.openFiles)
  const generations = new Generations()
  generations.unpack(state.arbiter.generations, listeners)
  const first = generations.of(state.arbiter.pool.generation)
  const { origin } = state
  const service = new Service({ kernel, log, listeners, loaded, first, origin, handover: null, state })
  let committed = false
  const commit = (): void => {
    if (committed) return
    committed = true
    image.commit()
    service.stand()
    delete process.env[FAILED_VARIABLE]
    kernel.close(memory)
    if (failed) log.error(`the new version did not take over; version ${VERSION} goes on`)
    else log.info(`version ${VERSION} on Node ${process.version} goes on`, { from: state.version })
  }
  try {
    const code = await service.run(({ premises }) => {
      premises.unpack(state.premises)
      // The first turn of the loop has been taken by then.
      setImmediate(() => setImmediate(commit))
    })
    // An order to stop may have been among the first things that it heard.
    commit()
    return code
  } finally {
    log.close()
  }
}

/** Settings that the version before did not know have their values of today. */
async function complete({ loaded, origin }: ArbiterState): Promise<LoadedConfig> {
  const missing = SETTING_NAMES.filter((name) => loaded.config[name] === undefined)
  if (missing.length === 0) return loaded
  const read = await loadConfig(origin.argv, origin.env, origin.cwd)
  if ('problems' in read) throw new Error('the settings cannot be read any more')
  const { config, worker, sources } = read.loaded
  const added = Object.fromEntries(missing.map((name) => [name, config[name]])) as Partial<Config>
  return {
    ...loaded,
    config: { ...loaded.config, ...added },
    worker: { ...worker, ...loaded.worker },
    sources: { ...sources, ...loaded.sources },
  }
}

/** What has been served must not end because a file cannot be opened any more: neither version could go on. */
function openLogOf({ config }: LoadedConfig, kernel: Kernel): Log {
  try {
    return openLog(config, kernel)
  } catch (error) {
    const log = openLog({ ...config, errorlog: '-' }, kernel)
    log.error(`${(error as Error).message}; this log goes to stderr`)
    return log
  }
}

/** They had to be open for the execve; children must not have them. */
function closeOnExec(kernel: Kernel, fds: readonly Fd[]): void {
  for (const one of fds) kernel.setCloseOnExec(one, true)
}
