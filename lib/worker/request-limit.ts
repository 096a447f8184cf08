/** `maxRequests`: a worker asks to be replaced when it has served so many, which bounds what a slow leak can cost. */
import type { WorkerSettings } from '../config/settings.ts'
import { ms } from '../units.ts'

/** How often the count is looked at: a look at each request would cost each request. */
const LOOK = ms(100)

type Limits = Pick<WorkerSettings, 'maxRequests' | 'maxRequestsJitter'>

/**
 * Calls `retire` once, soon after the count of requests has reached the limit. Does not keep the process alive. Until the
 * result is called.
 */
export const watchRequests = (
  { maxRequests, maxRequestsJitter }: Limits,
  requests: () => number,
  retire: (reason: string) => void,
): (() => void) => {
  if (maxRequests === 0) return () => undefined
  // Not all workers at once.
  const limit = maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1))
  const timer = setInterval(() => {
    if (requests() < limit) return
    clearInterval(timer)
    retire(`${limit} requests`)
  }, LOOK)
  timer.unref()
  return () => clearInterval(timer)
}
