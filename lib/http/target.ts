/** The four forms of a request target (RFC 9112 §3.2). */
import { type Bytes, SLASH } from './bytes.ts'
import { isHost, isHostWithPort } from './host.ts'
import { ABSOLUTE_FORM, ASTERISK_FORM, AUTHORITY_FORM, ORIGIN_FORM } from './progress.ts'

/** The form of a target whose bytes are all allowed ones; null where it has none. */
export function targetForm(buffer: Bytes, start: number, end: number): number | null {
  if (buffer[start] === SLASH) return ORIGIN_FORM
  if (end - start === 1 && buffer[start] === 42) return ASTERISK_FORM
  if (authorityOf(buffer, start, end) !== null) return ABSOLUTE_FORM
  return isHostWithPort(buffer, start, end) ? AUTHORITY_FORM : null
}

/** `host[:port]` of an absolute-form target, without userinfo (RFC 9112 §3.2.2); null for every other form. */
export function authorityOf(buffer: Bytes, start: number, end: number): string | null {
  const text = buffer.latin1Slice(start, end)
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(text)
  if (scheme === null) return null
  const from = scheme[0].length
  const rest = text.slice(from).search(/[/?]/)
  const to = rest === -1 ? text.length : from + rest
  const host = text.lastIndexOf('@', to - 1) + 1
  const at = host > from ? host : from
  if (at > from && !/^[-A-Za-z0-9._~!$&'()*+,;=:%]*@$/.test(text.slice(from, at))) return null
  return isHost(buffer, start + at, start + to) ? text.slice(at, to) : null
}
