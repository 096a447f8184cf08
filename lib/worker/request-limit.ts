/** `maxRequests`: a worker asks to be replaced when it has served so many, which bounds what a slow leak can cost. */
import type { WorkerSettings } from '../config/settings.ts'

type Limits = Pick<WorkerSettings, 'maxRequests' | 'maxRequestsJitter'>

/** Gives a function to call with the number of requests so far; `retire` is called once. */
export const requestLimit = (
  { maxRequests, maxRequestsJitter }: Limits,
  retire: (reason: string) => void,
): ((requests: number) => void) => {
  if (maxRequests === 0) return () => undefined
  // Not all workers at once.
  const limit = maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1))
  let asked = false
  return (requests) => {
    if (asked || requests < limit) return
    asked = true
    retire(`${limit} requests`)
  }
}
