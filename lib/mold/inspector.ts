/** Node's inspector in a forked process, which the mold cannot have: its port and its thread would be everybody's. */
import { createRequire } from 'node:module'

/** At a port of its own, which Node prints. Nothing is loaded where nobody has asked for it: a Node may be without it. */
export function openInspector(): void {
  const { open } = createRequire(__filename)('node:inspector') as typeof import('node:inspector')
  open(0)
}
