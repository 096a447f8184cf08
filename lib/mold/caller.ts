/** The package, or the file of the app, that stands nearest in the stack of this error. */
export function callerOf({ stack }: Error): string {
  for (const line of String(stack).split('\n').slice(1)) {
    // Not `node:internal/…`, which has no slash in front.
    const [, file] = /[ (]((?:file:\/\/)?\/[^():]+):\d+:\d+\)?$/.exec(line) ?? []
    if (file === undefined || file.startsWith(OWN)) continue
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
    return name ?? file
  }
  return 'the app'
}

const OWN = `${__dirname}/`
