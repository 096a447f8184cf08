/** The four forms of a request target (RFC 9112 §3.2). */
import { isHost, isHostWithPort } from './host.ts'
import { ABSOLUTE_FORM, ASTERISK_FORM, AUTHORITY_FORM, ORIGIN_FORM } from './progress.ts'

/** The form of a target whose bytes are all allowed ones; null where it has none. */
export function targetForm(target: string): number | null {
  if (target.startsWith('/')) return ORIGIN_FORM
  if (target === '*') return ASTERISK_FORM
  if (authorityOf(target) !== null) return ABSOLUTE_FORM
  return isHostWithPort(target) ? AUTHORITY_FORM : null
}

/** `host[:port]` of an absolute-form target, without userinfo (RFC 9112 §3.2.2); null for every other form. */
export function authorityOf(target: string): string | null {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(target)
  if (scheme === null) return null
  const authority = target.slice(scheme[0].length).split(/[/?]/, 1)[0]!
  const at = authority.lastIndexOf('@') + 1
  if (at > 0 && !/^[-A-Za-z0-9._~!$&'()*+,;=:%]*@$/.test(authority.slice(0, at))) return null
  const host = authority.slice(at)
  return isHost(host) ? host : null
}
