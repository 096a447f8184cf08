/** What we and Node's own server make of the same bytes, compared. */
import type { HttpErrorCode } from '../../lib/http/errors.ts'
import type { ByNode } from './by-node.ts'
import { ACCEPTED_HERE, type OTHERWISE, REFUSED_HERE } from './cases/node-differences.ts'
import type { Replayed, ReplayedRequest } from './replay.ts'

export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'refused here'; readonly key: HttpErrorCode }
  | { readonly kind: 'accepted here'; readonly key: string }
  | { readonly kind: 'otherwise'; readonly key: keyof typeof OTHERWISE }
  | { readonly kind: 'different'; readonly key: string }

/** What is compared of ours, whether the parser says it by itself or an app and a client have seen it. */
export type Ours = Pick<Replayed, 'error'> & {
  readonly requests: readonly Pick<
    ReplayedRequest,
    'method' | 'target' | 'rawHeaders' | 'upgrade' | 'keepAlive' | 'complete' | 'body' | 'trailers'
  >[]
}

const SAME: Verdict = { kind: 'same' }

/** The first thing in which the two differ. That they refuse with different words is no difference. */
export function compare(ours: Ours, node: ByNode): Verdict {
  for (const [index, request] of ours.requests.entries()) {
    const theirs = node.requests[index]
    if (theirs === undefined) return { kind: 'accepted here', key: String(node.error) }
    if (theirs.rawHeaders.length >= 2000 && request.rawHeaders.length > theirs.rawHeaders.length) {
      return { kind: 'otherwise', key: 'fields cut off' }
    }
    for (const key of ['method', 'target', 'rawHeaders'] as const) {
      if (JSON.stringify(request[key]) !== JSON.stringify(theirs[key])) return { kind: 'different', key }
    }
    if (theirs.upgrade && !request.upgrade && request.method !== 'CONNECT') return { kind: 'otherwise', key: 'h2c' }
    if (theirs.upgrade) return SAME
    const last = index === ours.requests.length - 1
    if (last && request.complete && !request.keepAlive && (node.error !== null || node.requests.length > index + 1)) {
      return { kind: 'otherwise', key: 'bytes after close' }
    }
    if (request.complete && theirs.complete) {
      for (const key of ['body', 'trailers'] as const) {
        if (JSON.stringify(request[key]) !== JSON.stringify(theirs[key])) return { kind: 'different', key }
      }
    }
  }
  const theirsGoOn = node.requests.length > ours.requests.length
  if (ours.error === null) {
    if (theirsGoOn) return { kind: 'different', key: 'they find more requests' }
    return node.error === null ? SAME : { kind: 'accepted here', key: node.error }
  }
  const refusedOnlyHere = theirsGoOn || node.error === null
  return refusedOnlyHere ? { kind: 'refused here', key: ours.error as HttpErrorCode } : SAME
}

export const isListed = (verdict: Verdict): boolean =>
  verdict.kind === 'same' ||
  verdict.kind === 'otherwise' ||
  (verdict.kind === 'refused here' && verdict.key in REFUSED_HERE) ||
  (verdict.kind === 'accepted here' && verdict.key in ACCEPTED_HERE)

/** As a list has it. */
export const nameOf = (verdict: Verdict): string =>
  verdict.kind === 'same' ? verdict.kind : `${verdict.kind}: ${verdict.key}`
