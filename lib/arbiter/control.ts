/** The control sockets: where they stand, and opening the arbiter's own. One that cannot be made is a warning. */
import type { LoadedConfig } from '../config/load.ts'
import { arbiterSocket, instanceName, makePlace, managerSocket, socketPlace } from '../control/paths.ts'
import type { Commands } from '../control/protocol.ts'
import { type ControlServer, openControl } from '../control/server.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Log } from '../log/log.ts'
import type { Fd } from '../units.ts'

export type ControlPlaces = {
  /** By which monocerosctl finds this instance. */
  readonly name: string
  /** Null: none is wanted, or there is no folder for it. */
  readonly arbiter: string | null
  readonly manager: string | null
}

/** Settles the paths, and makes the folder for those that no setting names. */
export function controlPlaces({ config, file, cwd }: LoadedConfig, log: Log): ControlPlaces {
  const name = instanceName(config.procName, file, cwd)
  const { controlSocket, companionControlSocket } = config
  const folder = controlSocket === null || companionControlSocket === null ? madeFolder(log) : null
  const settled = (setting: string | false | null, made: typeof arbiterSocket): string | null => {
    if (setting === false) return null
    return setting ?? (folder === null ? null : made(folder, name))
  }
  return {
    name,
    arbiter: settled(controlSocket, arbiterSocket),
    manager: settled(companionControlSocket, managerSocket),
  }
}

function madeFolder(log: Log): string | null {
  const uid = process.geteuid!()
  const place = socketPlace(process.env, uid)
  try {
    makePlace(place, uid)
    return place.directory
  } catch (error) {
    log.warning(`no control socket: ${(error as Error).message}`)
    return null
  }
}

export function openArbiterControl(
  path: string | null,
  parts: {
    readonly kernel: Kernel
    readonly log: Log
    readonly commands: Commands
    readonly schedule: (job: () => void) => void
    /** From the image before this one. */
    readonly inherited?: { readonly listener: Fd; readonly lock: Fd }
  },
): ControlServer | null {
  if (path === null) return null
  const { kernel, log, commands, schedule, inherited } = parts
  try {
    return openControl({
      path,
      kernel,
      commands,
      schedule,
      ...(inherited && { inherited }),
      failed: (error) => log.error(`control socket: ${error instanceof Error ? error.message : String(error)}`),
    })
  } catch (error) {
    log.warning(`no control socket: ${(error as Error).message}`)
    return null
  }
}
