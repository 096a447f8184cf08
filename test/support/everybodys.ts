/**
 * What the tests run, where every user can read it. A checkout below a closed folder (mktemp -d makes such) is shut to
 * the users that some tests become: Node, as that user, could not load our files.
 */
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Names the folder to run from instead of the checkout; whoever sets it before the tests has made that folder. */
const VARIABLE = 'MONOCEROS_TEST_ROOT'
/** The same, where the tests have made it. */
const OURS = 'MONOCEROS_TEST_COPY'

/** `dist/` with what it needs, and the tests' own files with what they need outside of jest. */
const PARTS = [
  'dist',
  'package.json',
  'build/Release/monoceros.node',
  'node_modules/bindings',
  'node_modules/file-uri-to-path',
  'node_modules/@swc',
  'lib',
  'test/kernel',
  'test/support',
]

const OTHERS_MAY_ENTER = 0o001

/** The checkout, or its copy. */
export const testRoot = (checkout: string): string => process.env[VARIABLE] ?? checkout

/** Whether somebody else has made what the tests run from: it is not to be built then. */
export const isMadeElsewhere = (): boolean => process.env[VARIABLE] !== undefined

/** Before all tests, as root only: nobody else can become another user. */
export function openToEverybody(checkout: string): void {
  if (isMadeElsewhere() || process.getuid!() !== 0 || isOpen(checkout)) return
  const copy = mkdtempSync('/tmp/mono-root-')
  chmodSync(copy, 0o755)
  for (const part of PARTS) cpSync(join(checkout, part), join(copy, part), { recursive: true, dereference: true })
  process.env[VARIABLE] = process.env[OURS] = copy
}

/** After all tests. */
export function removeCopy(): void {
  const copy = process.env[OURS]
  if (copy !== undefined) rmSync(copy, { recursive: true, force: true })
}

function isOpen(folder: string): boolean {
  if ((statSync(folder).mode & OTHERS_MAY_ENTER) === 0) return false
  return folder === '/' || isOpen(dirname(folder))
}
