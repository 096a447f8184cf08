/**
 * What an app may see of being a worker: `process.send` as under PM2, its slot in the environment, the name in ps.
 */

export const NOBODY_HEARS = `nobody hears process.send() but for process.send('ready'); the message was dropped`

/** Who hears what the app says. */
export type Ears = {
  /** `process.send('ready')`. */
  ready(): void
  /** Anything else was sent, for the first time. */
  dropped(): void
}

type Callback = (error: Error | null) => void

let hearing: Ears | null = null

/**
 * Gives the process `send`, `connected` and `disconnect` as a child of `child_process.fork` has them. Only `'ready'` is
 * understood (PM2's `wait_ready`); nobody listens to anything else. Called again by whoever hears it from then on, also
 * through references that were taken before.
 */
export const offerSend = (ears: Ears): void => {
  const isOffered = hearing !== null
  hearing = ears
  if (isOffered) return
  let warned = false
  const send = (message: unknown, ...rest: unknown[]): boolean => {
    if (message === 'ready') hearing!.ready()
    else if (!warned) {
      warned = true
      hearing!.dropped()
    }
    const done = rest.find((argument): argument is Callback => typeof argument === 'function')
    if (done !== undefined) process.nextTick(done, null)
    return true
  }
  const disconnect = (): void => {
    if (!process.connected) return
    Object.assign(process, { connected: false })
    process.nextTick(() => process.emit('disconnect'))
  }
  Object.assign(process, { send, disconnect, connected: true })
}

/** `name` false sets nothing. */
export const tellSlot = (name: string | false, slot: number): void => {
  if (name !== false) process.env[name] = String(slot)
}
