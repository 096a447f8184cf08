/** What a worker counts, for the heartbeat and for `maxRequests`. One record for all its servers. */
export type Counts = {
  /** Requests that came, those that are refused by the HTTP engine left out. */
  requests: number
  /** Requests whose answer is not finished. */
  inFlight: number
  connections: number
  /** Finished answers by the first digit of their status: 1xx to 5xx. */
  readonly classes: [number, number, number, number, number]
}

export const newCounts = (): Counts => ({ requests: 0, inFlight: 0, connections: 0, classes: [0, 0, 0, 0, 0] })

/** Counts one finished answer. A status out of range is a bug of the app and counted nowhere. */
export const countStatus = (counts: Counts, status: number): void => {
  const place = Math.trunc(status / 100) - 1
  if (place >= 0 && place < 5) counts.classes[place]! += 1
}
