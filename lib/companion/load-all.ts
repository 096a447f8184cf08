/** The modules of all companions, loaded one after the other into their mold. */
import type { Loaded, TargetModule } from '../channel/mold-messages.ts'
import type { Mold } from '../mold/mold.ts'
import { findModule, importModule, lookLike } from './load-target.ts'
import { reasonOf } from './run-target.ts'
import type { Traces } from './traces.ts'

export type LoadedModules = {
  readonly broken: Loaded['broken']
  /** In whose loading the first of these came to be open; none where that is not known. */
  blame(open: readonly string[]): number | undefined
}

/** Each finds its own directory, and itself as the program. What cannot be loaded is left to an exec'd process to explain. */
export async function loadAll(mold: Mold, modules: readonly TargetModule[], traces: Traces): Promise<LoadedModules> {
  const broken: { at: number; text: string }[] = []
  const opened: (readonly string[])[] = []
  // A module may await what keeps no process alive.
  const alive = setInterval(() => undefined, 2 ** 30)
  for (const [at, { module, cwd }] of modules.entries()) {
    mold.tell({ kind: 'loading', at })
    mold.listen.during = keyOf({ module, cwd })
    const loaded = traces.begin(at)
    let file: string | null = null
    try {
      process.chdir(cwd)
      file = findModule(module, cwd)
      lookLike(file)
      await inTime(mold, at, module, importModule(file))
    } catch (error) {
      broken.push({ at, text: reasonOf(error) })
    }
    loaded(file)
    opened.push(mold.open())
  }
  clearInterval(alive)
  mold.listen.during = ''
  return {
    broken,
    blame(open) {
      const at = opened.findIndex((then) => open.some((one) => then.includes(one)))
      return at === -1 ? undefined : at
    },
  }
}

export const keyOf = ({ module, cwd }: TargetModule): string => `${cwd}\0${module}`

/** One that never comes to an end is named; the mold is of no use then, as what it waits for may come in every child. */
async function inTime(mold: Mold, at: number, module: string, loading: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>(() => {
    timer = setTimeout(
      () =>
        mold.refuse({
          fault: 'notQuiet',
          at,
          text: `${module} has not been loaded after ${mold.go.patience / 1000} s`,
        }),
      mold.left,
    )
  })
  await Promise.race([loading, late]).finally(() => clearTimeout(timer))
}
