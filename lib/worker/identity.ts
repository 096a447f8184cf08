/**
 * What an app may see of being a worker: `process.send` as under PM2, its slot in the environment, the name in ps.
 */

/** Who hears what the app says. */
export type Ears = {
  /** `process.send('ready')`. */
  ready(): void
  /** Anything else was sent, for the first time. */
  dropped(): void
}

type Callback = (error: Error | null) => void

/**
 * Gives the process `send`, `connected` and `disconnect` as a child of `child_process.fork` has them. Only `'ready'` is
 * understood (PM2's `wait_ready`); nobody listens to anything else.
 */
export const offerSend = (ears: Ears): void => {
  let warned = false
  const send = (message: unknown, ...rest: unknown[]): boolean => {
    if (message === 'ready') ears.ready()
    else if (!warned) {
      warned = true
      ears.dropped()
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
