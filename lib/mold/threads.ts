/** Who starts threads while code is loaded: of a thread itself hardly more can be seen than that it is there. */
import module, { syncBuiltinESMExports } from 'node:module'
import workerThreads from 'node:worker_threads'
import { callerOf } from './caller.ts'

/** From now on they are noted: a phrase for each kind and caller. */
export function noteThreads(): readonly string[] {
  const found: string[] = []
  const note = (how: string): void => {
    const phrase = `${how} by ${callerOf(new Error())}`
    if (!found.includes(phrase)) found.push(phrase)
  }
  const { register } = module
  module.register = function (this: unknown, ...args: never[]) {
    note('module.register')
    return Reflect.apply(register, this, args)
  } as typeof register
  workerThreads.Worker = new Proxy(workerThreads.Worker, {
    construct(target, args, made) {
      note('a Worker')
      return Reflect.construct(target, args, made)
    },
  })
  syncBuiltinESMExports()
  return found
}
