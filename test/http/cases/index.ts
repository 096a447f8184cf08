/** Our own cases by the question that they answer: what was decided where RFC 9110 and 9112 leave a choice or are silent. */
import * as bodies from './bodies.ts'
import * as connections from './connections.ts'
import * as fields from './fields.ts'
import * as lines from './lines.ts'
import type { OwnCase } from './shape.ts'

export const DECIDED: Readonly<Record<string, readonly OwnCase[]>> = {
  limits: lines.LIMITS,
  'order of judgement': lines.ORDER,
  'unknown method': lines.METHODS,
  version: lines.VERSIONS,
  'bytes of the target': lines.TARGET_BYTES,
  'form of the target': lines.TARGET_FORMS,
  'field value': fields.VALUES,
  'obsolete folding': fields.FOLDING,
  'field name': fields.NAMES,
  Host: fields.HOSTS,
  'repeated fields': fields.REPEATED,
  'names with _': fields.UNDERSCORES,
  'Content-Length': bodies.LENGTHS,
  'Transfer-Encoding': bodies.ENCODINGS,
  chunk: bodies.CHUNKS,
  'a huge but legal Content-Length': bodies.SIZES,
  trailers: bodies.TRAILERS,
  Expect: connections.EXPECTATIONS,
  Upgrade: connections.UPGRADES,
  'CRLF before a request line': lines.EMPTY_LINES,
  'bytes after a request with Connection: close': connections.PERSISTENCE,
  'PROXY protocol': connections.PROXY,
  'TLVs of the PROXY protocol': connections.PROXY_TLVS,
  'scheme fields': connections.SCHEMES,
}

export const OWN_CASES: readonly (OwnCase & { readonly question: string })[] = Object.entries(DECIDED).flatMap(
  ([question, cases]) => cases.map((ownCase) => ({ ...ownCase, question })),
)
