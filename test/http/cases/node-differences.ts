/**
 * Where we and Node's own server (llhttp, with its default strictness) judge the same bytes differently, and why. A
 * difference that is not listed fails the test, and so does a row that no case shows.
 */
import type { HttpErrorCode } from '../../../lib/http/errors.ts'

/** `until`: the last version of Node that differs. */
export type NodeDifference = { readonly by: string; readonly why: string; readonly until?: number }

/** We refuse with this code what Node accepts. */
export const REFUSED_HERE: Readonly<Partial<Record<HttpErrorCode, NodeDifference>>> = {
  REQUEST_LINE_MALFORMED: {
    by: 'RFC 9112 §2.2, §3',
    why: 'Node takes a line without version for HTTP/0.9 and skips a bare CR or LF before a request line',
  },
  REQUEST_LINE_TOO_LONG: {
    by: 'limitRequestLine',
    why: 'the whole line counts here; Node counts the target and the fields together',
  },
  HEAD_TOO_LARGE: { by: 'RFC 9112 §2.2', why: 'empty lines before a request count here; Node skips them without end' },
  TARGET_CHARACTER: { by: 'RFC 9112 §3.2.1', why: 'Node accepts a fragment' },
  TARGET_FORM: {
    by: 'RFC 9112 §3.2',
    why: 'Node accepts * for every method, absolute-form without a valid host, and CONNECT to paths or without a port',
  },
  VERSION_MALFORMED: { by: 'RFC 9112 §3', why: 'Node accepts more than one space before the version' },
  VERSION_UNSUPPORTED: { by: 'RFC 9110 §15.6.6', why: 'Node answers HTTP/2.0 and HTTP/0.9 as if they were 1.1' },
  FIELD_NAME_UNDERSCORE: {
    by: 'RFC 9112 §11.2',
    why: 'Content_Length is Content-Length to what stands behind a CGI environment',
  },
  HOST_REPEATED: { by: 'RFC 9112 §3.2', why: 'more than one Host must be 400; Node takes the first' },
  HOST_INVALID: { by: 'RFC 9112 §3.2', why: 'an invalid Host must be 400; Node takes any text' },
  CONTENT_LENGTH_INVALID: {
    by: 'RFC 9110 §8.6',
    why: 'Node counts to 2^64, and a JavaScript number cannot hold what lies above 2^53',
  },
  CONTENT_TYPE_REPEATED: { by: 'RFC 9110 §5.3, §8.3', why: 'a singleton field: Node takes the first, others the last' },
  TRANSFER_ENCODING_WITH_LENGTH: {
    by: 'RFC 9112 §6.3',
    why: 'Node before 22 ignores an empty Transfer-Encoding beside a Content-Length',
    until: 20,
  },
  TRANSFER_ENCODING_IN_1_0: {
    by: 'RFC 9112 §6.1',
    why: 'the message must be treated as having faulty framing; Node decodes it',
  },
  TRANSFER_ENCODING_INVALID: {
    by: 'RFC 9112 §6.3',
    why: 'Node ignores an empty Transfer-Encoding and takes lists for chunked as long as that comes last',
  },
  TRANSFER_CODING_UNSUPPORTED: {
    by: 'RFC 9112 §6.1',
    why: 'Node hands the coded body to the app as if it were the content',
  },
  CHUNK_SIZE_INVALID: {
    by: 'RFC 9112 §7.1',
    why: 'Node counts chunk sizes to 2^64 and takes leading zeros without end',
  },
  CHUNK_EXTENSION_INVALID: { by: 'RFC 9112 §7.1.1', why: 'Node accepts extensions without a name or value' },
  CHUNK_EXTENSIONS_TOO_LARGE: {
    by: 'RFC 9112 §7.1.1',
    why: 'every byte behind a chunk size counts here, to the same 16 KB',
  },
  TRAILER_FORBIDDEN: { by: 'RFC 9110 §6.5.1', why: 'Node hands fields on that frame, route or authenticate' },
}

/** We accept what Node refuses with this code. */
export const ACCEPTED_HERE: Readonly<Record<string, NodeDifference>> = {
  HPE_INVALID_URL: { by: 'RFC 3986 §3.1', why: 'a scheme may hold digits, +, - and . as well as letters' },
  HPE_INVALID_VERSION: {
    by: 'RFC 9110 §2.5',
    why: 'a higher minor version is to be processed as the highest that one knows: 1.2 to 1.9 are served as 1.1',
  },
  HPE_INVALID_TRANSFER_ENCODING: { by: 'RFC 9110 §5.5', why: 'llhttp does not strip a tab behind chunked' },
  HPE_STRICT: {
    by: 'RFC 9112 §7.1.1, RFC 9110 §5.6.3',
    why: 'llhttp refuses white space within chunk extensions and obs-text in their quoted strings',
  },
  HPE_CLOSED_CONNECTION: {
    by: 'RFC 9110 §6.5.1',
    why: 'Connection among the trailers is no header field, and says nothing of the connection; Node closes it',
  },
  HPE_HEADER_OVERFLOW: { by: 'limitRequestHead', why: 'a head may have 64 KB here and 16 KB there' },
}

/** Neither is refused, and what comes out differs. */
export const OTHERWISE: Readonly<Record<'bytes after close' | 'h2c' | 'fields cut off', NodeDifference>> = {
  'bytes after close': {
    by: 'RFC 9112 §9.6',
    why:
      'what follows a request that closes is ignored; Node refuses it and loses the first response (nodejs/node#53076), ' +
      'and does not see close behind keep-alive in HTTP/1.0',
  },
  'fields cut off': {
    by: 'limitRequestFields',
    why: 'Node drops what lies behind the first 1000 fields or so without a word',
    until: 20,
  },
  h2c: {
    by: 'RFC 9110 §7.8, RFC 9113 §3.1',
    why: 'Upgrade: h2c is an ordinary request with its body; Node makes an upgrade event of it where there is a listener',
  },
}

/**
 * Errors with the code that `clientError` listeners know for their kind, although Node accepts the case (or, with
 * chunk extensions, larger ones).
 */
export const MEANT_FOR_APPS: readonly string[] = [
  'TOO_MANY_FIELDS HPE_HEADER_OVERFLOW',
  'FIELD_NAME_UNDERSCORE HPE_INVALID_HEADER_TOKEN',
  'TRANSFER_ENCODING_IN_1_0 HPE_INVALID_TRANSFER_ENCODING',
  'TRANSFER_CODING_UNSUPPORTED HPE_INVALID_TRANSFER_ENCODING',
  'CHUNK_EXTENSIONS_TOO_LARGE HPE_CHUNK_EXTENSIONS_OVERFLOW',
]
