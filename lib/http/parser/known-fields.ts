/** What the fields mean that the parser itself obeys, judged one by one as they come. */

import { HTTP_ERRORS } from '../errors.ts'
import { trimBlanks } from './bytes.ts'
import { contentLength } from './framing.ts'
import { isHost } from './host.ts'
import {
  CONNECTION,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  EXPECT,
  HOST,
  NO_TRAILER,
  TRANSFER_ENCODING,
  UNDERSCORE,
  UNDERSCORE_FRAMING,
  UPGRADE,
} from './names.ts'
import { DONE, OPTION_CLOSE, OPTION_KEEP_ALIVE, OPTION_UPGRADE, type Progress, type Status } from './progress.ts'
import type { Rules } from './rules.ts'

/** A field of a head. */
export function judgeField(value: string, proven: boolean, progress: Progress, rules: Rules): Status {
  const start = progress.valueStart
  switch (progress.name.kind) {
    case HOST:
      if (progress.host) return progress.fail(HTTP_ERRORS.HOST_REPEATED, start)
      if (!proven && !isHost(value)) return progress.fail(HTTP_ERRORS.HOST_INVALID, start)
      progress.host = true
      return DONE
    case CONTENT_LENGTH:
      if (progress.length >= 0) return progress.fail(HTTP_ERRORS.CONTENT_LENGTH_REPEATED, start)
      progress.length = contentLength(value)
      return progress.length < 0 ? progress.fail(HTTP_ERRORS.CONTENT_LENGTH_INVALID, start) : DONE
    case TRANSFER_ENCODING:
      progress.codings = progress.codings === null ? value : `${progress.codings},${value}`
      return DONE
    case CONNECTION:
      progress.options |= connectionOptions(value)
      return DONE
    case UPGRADE:
      progress.upgrade ||= namesProtocol(value)
      return DONE
    case EXPECT:
      progress.expect = Math.max(progress.expect, expectation(value))
      return DONE
    case CONTENT_TYPE:
      if (progress.contentType) return progress.fail(HTTP_ERRORS.CONTENT_TYPE_REPEATED, start)
      progress.contentType = true
      return DONE
    case UNDERSCORE_FRAMING:
      return progress.fail(HTTP_ERRORS.FIELD_NAME_UNDERSCORE, start)
    case UNDERSCORE:
      return rules.headerMap === 'refuse' ? progress.fail(HTTP_ERRORS.FIELD_NAME_UNDERSCORE, start) : DONE
    default:
      return DONE
  }
}

/** A field of a trailer section (RFC 9110 §6.5.1): nothing that frames, routes or authenticates may come so late. */
export function judgeTrailer(_value: string, _proven: boolean, progress: Progress, rules: Rules): Status {
  const start = progress.valueStart
  switch (progress.name.kind) {
    case HOST:
    case CONTENT_LENGTH:
    case TRANSFER_ENCODING:
    case NO_TRAILER:
      return progress.fail(HTTP_ERRORS.TRAILER_FORBIDDEN, start)
    case UNDERSCORE_FRAMING:
      return progress.fail(HTTP_ERRORS.FIELD_NAME_UNDERSCORE, start)
    case UNDERSCORE:
      return rules.headerMap === 'refuse' ? progress.fail(HTTP_ERRORS.FIELD_NAME_UNDERSCORE, start) : DONE
    default:
      return DONE
  }
}

const listOf = (value: string): string[] =>
  value
    .toLowerCase()
    .split(',')
    .map(trimBlanks)
    .filter((element) => element !== '')

const OPTIONS: Readonly<Record<string, number>> = {
  close: OPTION_CLOSE,
  'keep-alive': OPTION_KEEP_ALIVE,
  upgrade: OPTION_UPGRADE,
}

function connectionOptions(value: string): number {
  if (value === 'keep-alive') return OPTION_KEEP_ALIVE
  if (value === 'close') return OPTION_CLOSE
  return listOf(value).reduce((options, option) => options | (Object.hasOwn(OPTIONS, option) ? OPTIONS[option]! : 0), 0)
}

/** Whether there is a protocol besides h2c, which RFC 9113 §3.1 has withdrawn: such a request is an ordinary one. */
const namesProtocol = (value: string): boolean => listOf(value).some((protocol) => protocol !== 'h2c')

function expectation(value: string): number {
  const list = listOf(value)
  if (list.length === 0) return 0
  return list.every((element) => element === '100-continue') ? 1 : 2
}
