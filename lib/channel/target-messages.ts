/** What the manager and a `target` companion say to each other, on a channel like the workers' (`channel.ts`). Pure. */
import { isList, isOneOf, isText, type Shapes } from './decode.ts'

/** Manager to companion. Descriptors: one for each name, to be placed on it. */
export type ToTarget = { readonly kind: 'reopen'; readonly files: readonly ('stdout' | 'stderr')[] }

/** Companion to manager: why it ends, in one line, for `status`. */
export type FromTarget = {
  readonly kind: 'failed'
  readonly fault: 'missing' | 'threw' | 'returned'
  readonly text: string
}

export const TO_TARGET = {
  reopen: { files: isList(isOneOf('stdout', 'stderr')) },
} satisfies Shapes<ToTarget>

export const FROM_TARGET = {
  failed: { fault: isOneOf('missing', 'threw', 'returned'), text: isText },
} satisfies Shapes<FromTarget>
