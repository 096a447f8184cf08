/**
 * Contexts (`vm`) that are made while an app is loaded. Each has a `Math.random` of its own, whose state a fork copies, and
 * which V8 offers no way to seed anew: a function stands in for it before any code runs in the context, as in the main one.
 *
 * Where the object that was made a context has a `Math` of its own, code in it sees that one, which is left alone.
 */

import { syncBuiltinESMExports } from 'node:module'
import vm, { type Context, type RunningScriptInNewContextOptions, Script } from 'node:vm'

export type Contexts = {
  /** What `Math.random` draws from in all of them that are still there. */
  renew(draw: () => number): void
  /** None are noted any more. */
  stop(): void
}

/** In the context. What it answers lives as long as the function that stands in, which no code can see into. */
const STAND_IN = new Script(`'use strict'
  typeof Math === 'object' && Math?.__proto__ === ({}).__proto__ && (() => {
    const state = { draw: Math.random }
    Math.random = ({ random() { return state.draw() } }).random
    return state
  })()`)

type Generator = { draw: () => number }

/** Contexts that are gone are forgotten when so many more have been made. */
const FORGET_EVERY = 64

const { createContext, runInNewContext, isContext } = vm
const { prototype } = Script
const { runInContext } = prototype

/** Wraps the functions of `vm` that make contexts. */
export function noteContexts(): Contexts {
  let generators: WeakRef<Generator>[] = []
  let enough = FORGET_EVERY
  let isNoting = true
  const note = (context: Context): Context => {
    const found = standIn(context)
    if (found) generators.push(new WeakRef(found))
    if (generators.length < enough) return context
    generators = generators.filter((one) => one.deref() !== undefined)
    enough = generators.length + FORGET_EVERY
    return context
  }
  const create = (...args: Parameters<typeof createContext>): Context => {
    const isNew = isNoting && !isContext(Object(args[0]))
    const context = createContext(...args)
    return isNew ? note(context) : context
  }
  const own = {
    createContext: create,
    runInNewContext: (code: string, object?: Context, options?: RunningScriptInNewContextOptions | string) =>
      runInNewContext(code, isNoting ? prepared(create, object, options) : object, options),
  }
  const { runInNewContext: run } = prototype
  const runAnew = function (this: Script, object?: Context, options?: RunningScriptInNewContextOptions) {
    return run.call(this, isNoting ? prepared(create, object, options) : object, options)
  }
  Object.assign(vm, own)
  prototype.runInNewContext = runAnew
  syncBuiltinESMExports()
  return {
    renew(draw) {
      for (const one of generators) {
        const generator = one.deref()
        if (generator !== undefined) generator.draw = draw
      }
    },
    stop() {
      isNoting = false
      // Whoever has wrapped them since goes on with ours, which do nothing any more.
      if (vm.createContext === own.createContext) vm.createContext = createContext
      if (vm.runInNewContext === own.runInNewContext) vm.runInNewContext = runInNewContext
      if (prototype.runInNewContext === runAnew) prototype.runInNewContext = run
      syncBuiltinESMExports()
    },
  }
}

/** Null: its `Math` is not its own, or cannot be asked for. */
function standIn(context: Context): Generator | null {
  try {
    return (runInContext.call(STAND_IN, context) as Generator | false) || null
  } catch {
    return null
  }
}

/** The context that `runInNewContext` would make of these. What it refuses is left to it. */
function prepared(
  create: typeof createContext,
  object: Context | undefined,
  options: RunningScriptInNewContextOptions | string | undefined,
): Context | undefined {
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = Object(options)
  const given = { name: contextName, origin: contextOrigin, codeGeneration: contextCodeGeneration, microtaskMode }
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  try {
    return create(object, present)
  } catch {
    return object
  }
}
