/** Node's inspector in a forked process, which the mold cannot have: its port and its thread would be everybody's. */
import { createRequire } from 'node:module'

const inspector = (): typeof import('node:inspector') => createRequire(__filename)('node:inspector')

/** At a port of its own, which Node prints. Nothing is loaded where nobody has asked for it: a Node may be without it. */
export function openInspector(): void {
  inspector().open(0)
}

/** Whether the code that was loaded has opened it. */
export const hasInspector = (): boolean => process.features.inspector && inspector().url() !== undefined
