/**
 * What an app measures from one moment to a later one, with a fork in between. The kernel counts a forked process's time on
 * the processor from nothing: a difference to what was read while the app was loaded would be negative. And all the
 * time for which the mold has waited, blocked, would count as one long turn of the event loop.
 */
import { syncBuiltinESMExports } from 'node:module'
import perfHooks, { type EventLoopUtilization, type IntervalHistogram } from 'node:perf_hooks'

export type Clocks = {
  /** In the mold, last before it waits. */
  stop(): void
  /** In the forked process, before any code of the app runs in it; again when it has waited once more. */
  goOn(): void
}

type Usage = Record<string, number>
type Read = (...args: never[]) => Usage

/** Before the app is loaded: it may take references. */
export function installClocks(): Clocks {
  const processor = CUMULATIVE.flatMap((name) => cumulative(name) ?? [])
  const utilization = installUtilization()
  const histograms = installHistograms()
  syncBuiltinESMExports()
  return {
    stop() {
      for (const each of processor) each.keep()
      for (const each of [utilization, histograms]) each.stop()
    },
    goOn() {
      for (const each of [utilization, histograms]) each.goOn()
    },
  }
}

const CUMULATIVE = ['cpuUsage', 'threadCpuUsage', 'resourceUsage']
/** Not a sum. */
const PEAK = 'maxRSS'

/** Makes it go on in each life from where it was in the one before. Undefined: this Node has no such function. */
function cumulative(name: string): { keep(): void } | undefined {
  const holder = process as unknown as Record<string, Read | undefined>
  const own = holder[name]
  if (own === undefined) return undefined
  let before: Usage = {}
  holder[name] = function (this: unknown, ...args) {
    const usage = Reflect.apply(own, this, args)
    for (const key of Object.keys(before)) usage[key]! += before[key]!
    return usage
  }
  return {
    keep() {
      const { [PEAK]: _peak, ...sums } = holder[name]!()
      before = sums
    },
  }
}

function installUtilization(): Clocks {
  const { performance } = perfHooks
  const own = performance.eventLoopUtilization
  let asleep = 0
  let since = 0
  const read = (...[later, earlier]: readonly (EventLoopUtilization | undefined)[]): EventLoopUtilization => {
    if (earlier !== undefined) return Reflect.apply(own, performance, [later, earlier])
    const { idle, active } = own()
    const awake = Math.max(0, active - asleep)
    const now = { idle, active: awake, utilization: idle + awake === 0 ? 0 : awake / (idle + awake) }
    return later === undefined ? now : Reflect.apply(own, performance, [now, later])
  }
  for (const holder of [performance, perfHooks] as { eventLoopUtilization?: typeof own }[])
    if (holder.eventLoopUtilization !== undefined) holder.eventLoopUtilization = read as typeof own
  return {
    stop() {
      since = performance.now()
    },
    goOn() {
      const now = performance.now()
      asleep += now - since
      since = now
    },
  }
}

/** Those that measure the event loop's delay begin anew: what they would find next is the mold's rest. */
function installHistograms(): Clocks {
  const histograms: IntervalHistogram[] = []
  const { monitorEventLoopDelay } = perfHooks
  let areNoted = true
  perfHooks.monitorEventLoopDelay = (...args) => {
    const histogram = monitorEventLoopDelay(...args)
    if (areNoted) histograms.push(histogram)
    return histogram
  }
  return {
    stop() {
      areNoted = false
    },
    goOn() {
      for (const histogram of histograms) histogram.reset()
    },
  }
}
