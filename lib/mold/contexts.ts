/**
 * Contexts (`vm`). Each has a `Math.random` of its own, whose state a fork copies, and which V8 offers no way to seed anew;
 * those that are made after a fork are seeded by a generator that was copied. So a function stands in for it before any code
 * runs in the context, as in the main one.
 *
 * Where the object that was made a context has a `Math` of its own, code in it sees that one, which is left alone.
 */

import { syncBuiltinESMExports } from 'node:module'
import vm, { type Context, type RunningScriptInNewContextOptions, Script } from 'node:vm'

export type Contexts = {
  /** What `Math.random` draws from, in all of them that are still there and in those that are to come. */
  renew(draw: () => number): void
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
  let draw: (() => number) | null = null
  const note = (context: Context): Context => {
    const found = standIn(context)
    if (found && draw !== null) found.draw = draw
    if (found) generators.push(new WeakRef(found))
    if (generators.length < enough) return context
    generators = generators.filter((one) => one.deref() !== undefined)
    enough = generators.length + FORGET_EVERY
    return context
  }
  const create = (...args: Parameters<typeof createContext>): Context => {
    const isNew = !isContext(Object(args[0]))
    const context = createContext(...args)
    return isNew ? note(context) : context
  }
  vm.createContext = likeNodes(createContext, create)
  vm.runInNewContext = likeNodes(runInNewContext, (code, object, options) =>
    runInNewContext(code, prepared(create, object, options), options),
  )
  const { runInNewContext: runScript } = prototype
  prototype.runInNewContext = likeNodes(runScript, function (this: Script, object, options) {
    return runScript.call(this, prepared(create, object, options), options)
  })
  syncBuiltinESMExports()
  return {
    renew(next) {
      draw = next
      for (const one of generators) {
        const generator = one.deref()
        if (generator !== undefined) generator.draw = next
      }
    },
  }
}

const likeNodes = <F extends (...args: never[]) => unknown>({ name, length }: F, own: F): F =>
  Object.defineProperties(own, { name: { value: name }, length: { value: length } })

/** Null: its `Math` is not its own, or cannot be asked for. */
function standIn(context: Context): Generator | null {
  try {
    return (runInContext.call(STAND_IN, context) as Generator | false) || null
  } catch {
    return null
  }
}

type Given = Parameters<typeof runInNewContext>[1]

/** The context that `runInNewContext` would make of these. What it refuses is left to it. */
function prepared(
  create: typeof createContext,
  object: Given,
  options: RunningScriptInNewContextOptions | string | undefined,
): Given {
  const { contextName, contextOrigin, contextCodeGeneration, microtaskMode } = Object(options)
  const given = { name: contextName, origin: contextOrigin, codeGeneration: contextCodeGeneration, microtaskMode }
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  try {
    return create(object, present)
  } catch {
    return object
  }
}
