/**
 * c-ares numbers its queries from random numbers that each channel keeps a stock of, and Node makes a channel when it loads
 * `dns`: all children would number alike. In a child, one from before the fork is stood in for by one of the child's own.
 */
import { AsyncResource } from 'node:async_hooks'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'

type Method = (...args: unknown[]) => unknown
type Channel = Record<string, Method> & { getAsyncId(): number }
type WithChannel = { readonly _handle?: Channel }
type Options = ConstructorParameters<typeof dns.Resolver>[0]

/** What has been set in each channel, which its stand-in is to be given: the last call of each of these. */
const SETTERS = ['setServers', 'setLocalAddress']

/** Before the app is loaded. The result is called in the child, before any code of the app. */
export function watchChannels(): () => void {
  const options = new WeakMap<Channel, Options>()
  const settings = new WeakMap<Channel, Map<string, unknown[]>>()
  let standIns = new WeakMap<Channel, Channel>()
  const { Resolver } = dns
  /** Async ids up to this one are from before the fork. */
  let before = 0

  const standInOf = (channel: Channel): Channel => {
    const known = standIns.get(channel)
    if (known !== undefined) return known
    const made = (new Resolver(options.get(channel)) as WithChannel)._handle!
    standIns.set(channel, made)
    for (const [name, args] of settings.get(channel) ?? []) made[name]!(...args)
    return made
  }

  const sample = (new Resolver() as WithChannel)._handle
  if (sample === undefined) return () => undefined
  const prototype = Object.getPrototypeOf(sample) as Record<string, unknown>
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || typeof value !== 'function') continue
    prototype[name] = function (this: Channel, ...args: unknown[]): unknown {
      if (SETTERS.includes(name)) settings.set(this, new Map(settings.get(this)).set(name, args))
      return Reflect.apply(value as Method, this.getAsyncId() > before ? this : standInOf(this), args)
    }
  }
  for (const holder of [dns, dns.promises] as { Resolver: new (given?: Options) => object }[])
    holder.Resolver = new Proxy(holder.Resolver, {
      construct(target, args, made) {
        const resolver = Reflect.construct(target, args, made) as WithChannel
        options.set(resolver._handle!, args[0])
        return resolver
      },
    })
  syncBuiltinESMExports()
  return () => {
    // A child that becomes a mold has such as well.
    standIns = new WeakMap()
    before = new AsyncResource('monoceros').asyncId()
  }
}
