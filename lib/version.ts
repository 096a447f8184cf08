/** The version of this package, read once at start: an upgrade changes the files under a running arbiter. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const VERSION: string = (
  JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { readonly version: string }
).version
