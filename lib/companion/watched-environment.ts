/**
 * What becomes of the environment while code is loaded: a variable that a module has asked for holds for all that are
 * forked, so one that has another value there must not be; and what it has set (from a file, say) must be set there too.
 */

export type Watched = {
  /** Names that were asked for. */
  readonly variables: readonly string[]
  /** All that there are were: a copy was made. */
  readonly all: boolean
  /** What was set; undefined: removed. */
  readonly written: ReadonlyMap<string, string | undefined>
}

/** From now on until the result is called. A reference to `process.env` that is taken meanwhile stays a true one. */
export function watchEnvironment(): () => Watched {
  const { env } = process
  const asked = new Set<string>()
  const written = new Set<string>()
  /** `Object.keys` asks for the descriptor of each key in turn, which says nothing of what it is for. */
  let listed: string[] = []
  let watching = true
  const note = (names: Set<string>, name: string | symbol): void => {
    if (watching && typeof name === 'string') names.add(name)
  }
  process.env = new Proxy(env, {
    get(target, name) {
      note(asked, name)
      return Reflect.get(target, name)
    },
    has(target, name) {
      note(asked, name)
      return Reflect.has(target, name)
    },
    ownKeys(target) {
      const names = Reflect.ownKeys(target)
      listed = names.filter((name) => typeof name === 'string')
      return names
    },
    getOwnPropertyDescriptor(target, name) {
      if (listed[0] === name) listed.shift()
      else note(asked, name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
    set(target, name, value) {
      note(written, name)
      return Reflect.set(target, name, value)
    },
    deleteProperty(target, name) {
      note(written, name)
      return Reflect.deleteProperty(target, name)
    },
    defineProperty(target, name, descriptor) {
      note(written, name)
      return Reflect.defineProperty(target, name, descriptor)
    },
  })
  return () => {
    watching = false
    process.env = env
    const names = Object.keys(env).filter((name) => !written.has(name))
    return {
      variables: [...asked],
      all: names.length > 0 && names.every((name) => asked.has(name)),
      written: new Map([...written].map((name) => [name, env[name]])),
    }
  }
}

/** Makes this process's environment this one, and nothing else. */
export function replaceEnvironment(env: Readonly<Record<string, string>>, written: Watched['written']): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  for (const [name, value] of [...Object.entries(env), ...written]) {
    if (value === undefined) delete process.env[name]
    else if (process.env[name] !== value) process.env[name] = value
  }
}
