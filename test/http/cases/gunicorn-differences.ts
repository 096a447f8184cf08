/** Where a case of gunicorn's has another outcome here: which, by what section, and why. Every other case agrees. */

export type Difference = {
  /** The code of our error, or `accepted`. */
  readonly outcome: string
  /** RFC and section, or the setting that decides. */
  readonly by: string
  readonly why: string
}

const FRAGMENT: Difference = {
  outcome: 'TARGET_CHARACTER',
  by: 'RFC 9112 §3.2.1, RFC 3986 §3.5',
  why: 'origin-form is path and query: a fragment is never sent',
}
const CODING: Difference = {
  outcome: 'TRANSFER_CODING_UNSUPPORTED',
  by: 'RFC 9112 §6.1',
  why: 'a transfer coding that is not decoded is 501; gunicorn hands the coded body on',
}
const IDENTITY: Difference = {
  outcome: 'TRANSFER_CODING_UNSUPPORTED',
  by: 'RFC 9112 §7 (RFC 7230 appendix A.2 has removed identity)',
  why: 'identity is no transfer coding any more: unknown, so 501',
}
const UNDERSCORE: Difference = {
  outcome: 'FIELD_NAME_UNDERSCORE',
  by: 'RFC 9112 §11.2',
  why: 'Content_Length and Transfer_Encoding frame the body for whoever is behind a CGI environment; gunicorn drops them',
}

export const GUNICORN_DIFFERENCES: Readonly<Record<string, Difference>> = {
  'gunicorn/valid/005': FRAGMENT,
  'gunicorn/valid/009': FRAGMENT,
  'gunicorn/valid/025': CODING,
  'gunicorn/valid/025_line': CODING,
  'gunicorn/valid/rfc9112_smuggle_gzip_chunked_01': CODING,
  'gunicorn/valid/029': IDENTITY,
  'gunicorn/valid/030': IDENTITY,
  'gunicorn/valid/rfc9112_smuggle_te_identity_chunked_01': IDENTITY,
  'gunicorn/valid/027': {
    outcome: 'TARGET_CHARACTER',
    by: 'RFC 9112 §3.2, RFC 3986 §2',
    why: 'a target is ASCII: raw UTF-8 is not percent-encoded',
  },
  'gunicorn/valid/028': {
    outcome: 'FIELD_NAME_INVALID',
    by: 'RFC 9112 §5.1',
    why: 'white space before the colon must be 400; there is no strip_header_spaces',
  },
  'gunicorn/valid/031': {
    outcome: 'METHOD_UNKNOWN',
    by: 'RFC 9110 §9.1',
    why: 'an unknown method is 501 unless permitUnconventionalHttpMethod',
  },
  'gunicorn/valid/031compat': {
    outcome: 'accepted',
    by: 'RFC 9110 §9.1',
    why: 'methods are case-sensitive: there is no casefold_http_method, the method stays in lower case',
  },
  'gunicorn/valid/040': UNDERSCORE,
  'gunicorn/valid/040_compat': UNDERSCORE,
  'gunicorn/valid/099': {
    outcome: 'REQUEST_INCOMPLETE',
    by: 'RFC 9112 §8',
    why: 'the body ends before its Content-Length of 17914: the message is incomplete',
  },
  'gunicorn/invalid/limit_header_default_01': {
    outcome: 'accepted',
    by: 'limitRequestFieldSize',
    why: '0 means no limit of its own, as gunicorn documents it and does not do it',
  },
}
