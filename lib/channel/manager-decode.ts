/** What arbiter and manager may say to each other, field by field. Pure. */
import { isCount, isList, isOneOf, isRecord, isText, type Shapes } from './decode.ts'
import type { FromManager, ToManager } from './manager-messages.ts'

const isTextOrNull = (value: unknown): boolean => value === null || isText(value)

export const TO_MANAGER = {
  go: {
    protocol: isCount,
    version: isText,
    arbiter: isCount,
    controlSocket: isTextOrNull,
    name: isText,
    cwd: isText,
    log: isRecord,
  },
  stop: { how: isOneOf('graceful', 'quick') },
  reopen: { files: isList(isOneOf('stdout', 'stderr')) },
  config: { id: isCount },
  configFailed: { id: isCount, error: isText },
} satisfies Shapes<ToManager>

export const FROM_MANAGER = {
  announced: { pid: isCount },
  ready: { control: isTextOrNull, companions: isCount },
  reread: { id: isCount },
  fatal: { name: isText, code: isCount, text: isText },
} satisfies Shapes<FromManager>
