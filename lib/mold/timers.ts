/** Timers that keep nothing alive. Node tells of the others only (`process.getActiveResourcesInfo`). */

type Timer = NodeJS.Timeout & { readonly _destroyed?: boolean }

/** From now on they are noted. Ends that: how many still tick. */
export function noteUnreferenced(): () => number {
  const sample = setTimeout(() => undefined, 0)
  clearTimeout(sample)
  const prototype: Timer = Object.getPrototypeOf(sample)
  const { unref } = prototype
  const noted = new Set<Timer>()
  prototype.unref = function (this: Timer) {
    noted.add(this)
    return Reflect.apply(unref, this, [])
  }
  return () => {
    prototype.unref = unref
    return [...noted].filter((timer) => !timer._destroyed && !timer.hasRef()).length
  }
}
