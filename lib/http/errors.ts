/**
 * The one table of what a client can do wrong: its code in the log, the status and constant text that answer it, and
 * whether the connection ends with the answer. No byte of a request ever stands in an answer.
 */

export type HttpErrorRow = {
  readonly status: 400 | 403 | 408 | 413 | 414 | 417 | 431 | 500 | 501 | 503 | 505
  /** One sentence: the body of the answer, and the message of a `clientError`. */
  readonly text: string
  /** Whether the connection is closed with the answer: whatever leaves doubt where the next request begins. */
  readonly closes: boolean
  /** Who finds it: the pure part in the bytes, or the engine in what it knows besides. */
  readonly by: 'bytes' | 'engine'
  /** gunicorn's exception classes for the same thing. */
  readonly gunicorn: readonly string[]
  /** The `code` of Node's own `clientError` for the same thing. */
  readonly node: string | null
}

const bytes = (
  status: HttpErrorRow['status'],
  text: string,
  gunicorn: readonly string[],
  node: string | null,
): HttpErrorRow => ({ status, text, closes: true, by: 'bytes', gunicorn, node })

const engine = (
  status: HttpErrorRow['status'],
  text: string,
  gunicorn: readonly string[],
  node: string | null,
  closes = true,
): HttpErrorRow => ({ status, text, closes, by: 'engine', gunicorn, node })

/** Codes are never reused for another meaning. */
export const ERRORS = {
  REQUEST_LINE_MALFORMED: bytes(
    400,
    'The request line is not METHOD SP TARGET SP VERSION CRLF.',
    ['InvalidRequestLine'],
    'HPE_INVALID_METHOD',
  ),
  METHOD_MALFORMED: bytes(
    400,
    'The method is not a token in upper case.',
    ['InvalidRequestMethod'],
    'HPE_INVALID_METHOD',
  ),
  METHOD_UNKNOWN: bytes(501, 'The method is not implemented.', ['InvalidRequestMethod'], 'HPE_INVALID_METHOD'),
  TARGET_CHARACTER: bytes(
    400,
    'The request target holds a byte that is not allowed.',
    ['InvalidRequestLine'],
    'HPE_INVALID_URL',
  ),
  TARGET_FORM: bytes(
    400,
    'The request target has no form that this method may have.',
    ['InvalidRequestLine'],
    'HPE_INVALID_URL',
  ),
  VERSION_MALFORMED: bytes(400, 'The HTTP version is malformed.', ['InvalidHTTPVersion'], 'HPE_INVALID_VERSION'),
  VERSION_UNSUPPORTED: bytes(
    505,
    'The HTTP version is not supported.',
    ['InvalidHTTPVersion', 'InvalidH2CPreface'],
    'HPE_INVALID_VERSION',
  ),
  REQUEST_LINE_TOO_LONG: bytes(414, 'The request line is too long.', ['LimitRequestLine'], 'HPE_HEADER_OVERFLOW'),
  HEAD_TOO_LARGE: bytes(431, 'The request head is too large.', ['LimitRequestHeaders'], 'HPE_HEADER_OVERFLOW'),
  FIELD_TOO_LARGE: bytes(431, 'A header field is too large.', ['LimitRequestHeaders'], 'HPE_HEADER_OVERFLOW'),
  TOO_MANY_FIELDS: bytes(
    431,
    'The request has too many header fields.',
    ['LimitRequestHeaders'],
    'HPE_HEADER_OVERFLOW',
  ),
  FIELD_NAME_INVALID: bytes(
    400,
    'A header field name is not a token directly followed by a colon.',
    ['InvalidHeaderName', 'InvalidHeader'],
    'HPE_INVALID_HEADER_TOKEN',
  ),
  FIELD_NAME_UNDERSCORE: bytes(
    400,
    'A header field name with an underscore is refused.',
    ['InvalidHeaderName'],
    'HPE_INVALID_HEADER_TOKEN',
  ),
  FIELD_VALUE_INVALID: bytes(
    400,
    'A header field value holds a control character.',
    ['InvalidHeader'],
    'HPE_INVALID_HEADER_TOKEN',
  ),
  BARE_CR: bytes(400, 'A CR is not followed by LF.', ['InvalidHeader', 'InvalidChunkExtension'], 'HPE_LF_EXPECTED'),
  BARE_LF: bytes(400, 'A line ends with LF without CR.', ['InvalidHeader', 'InvalidChunkSize'], 'HPE_CR_EXPECTED'),
  OBSOLETE_FOLDING: bytes(
    400,
    'A header field is folded over several lines.',
    ['ObsoleteFolding'],
    'HPE_INVALID_HEADER_TOKEN',
  ),
  HOST_MISSING: bytes(400, 'The Host header field is missing.', [], null),
  HOST_REPEATED: bytes(400, 'The Host header field is repeated.', ['InvalidHeader'], null),
  HOST_INVALID: bytes(400, 'The Host header field is not a host with an optional port.', [], null),
  CONTENT_LENGTH_INVALID: bytes(
    400,
    'Content-Length is not one decimal number below 2^53.',
    ['InvalidHeader'],
    'HPE_INVALID_CONTENT_LENGTH',
  ),
  CONTENT_LENGTH_REPEATED: bytes(
    400,
    'Content-Length is repeated.',
    ['InvalidHeader'],
    'HPE_UNEXPECTED_CONTENT_LENGTH',
  ),
  CONTENT_TYPE_REPEATED: bytes(400, 'Content-Type is repeated.', ['InvalidHeader'], null),
  TRANSFER_ENCODING_WITH_LENGTH: bytes(
    400,
    'Transfer-Encoding and Content-Length exclude each other.',
    ['InvalidHeader'],
    'HPE_INVALID_TRANSFER_ENCODING',
  ),
  TRANSFER_ENCODING_IN_1_0: bytes(
    400,
    'HTTP/1.0 has no Transfer-Encoding.',
    ['InvalidHeader'],
    'HPE_INVALID_TRANSFER_ENCODING',
  ),
  TRANSFER_ENCODING_INVALID: bytes(
    400,
    'Transfer-Encoding does not end with one chunked.',
    ['InvalidHeader'],
    'HPE_INVALID_TRANSFER_ENCODING',
  ),
  TRANSFER_CODING_UNSUPPORTED: bytes(
    501,
    'A transfer coding other than chunked is not implemented.',
    ['UnsupportedTransferCoding'],
    'HPE_INVALID_TRANSFER_ENCODING',
  ),
  BODY_TOO_LARGE: bytes(413, 'The request body is too large.', [], null),
  CHUNK_SIZE_INVALID: bytes(
    400,
    'A chunk size is not a hexadecimal number below 2^53.',
    ['InvalidChunkSize'],
    'HPE_INVALID_CHUNK_SIZE',
  ),
  CHUNK_EXTENSION_INVALID: bytes(400, 'A chunk extension is malformed.', ['InvalidChunkExtension'], 'HPE_STRICT'),
  CHUNK_EXTENSIONS_TOO_LARGE: bytes(400, 'The chunk extensions are too large.', [], 'HPE_CHUNK_EXTENSIONS_OVERFLOW'),
  CHUNK_TERMINATOR_MISSING: bytes(
    400,
    'Chunk data is not followed by CRLF where its size ends.',
    ['ChunkMissingTerminator'],
    'HPE_STRICT',
  ),
  TRAILER_FORBIDDEN: bytes(400, 'A field is not allowed among the trailers.', ['InvalidHeaderName'], null),
  REQUEST_INCOMPLETE: bytes(
    400,
    'The connection was closed inside a request.',
    ['NoMoreData', 'ChunkMissingTerminator'],
    'HPE_INVALID_EOF_STATE',
  ),
  PROXY_LINE_INVALID: bytes(400, 'The PROXY protocol line is malformed.', ['InvalidProxyLine'], null),
  PROXY_HEADER_INVALID: bytes(400, 'The PROXY protocol header is malformed.', ['InvalidProxyHeader'], null),
  PROXY_HEADER_MISSING: bytes(400, 'The PROXY protocol header is missing.', ['InvalidProxyLine'], null),
  SCHEME_HEADERS_CONFLICT: bytes(
    400,
    'The header fields that name the scheme contradict each other.',
    ['InvalidSchemeHeaders'],
    null,
  ),
  PROXY_FORBIDDEN: engine(403, 'This peer may not send the PROXY protocol.', ['ForbiddenProxyRequest'], null),
  EXPECTATION_FAILED: engine(417, 'Only 100-continue can be expected.', ['ExpectationFailed'], null, false),
  CONNECT_UNSUPPORTED: engine(501, 'CONNECT is not implemented.', [], null),
  REQUEST_TIMEOUT: engine(408, 'The request did not arrive in time.', [], 'ERR_HTTP_REQUEST_TIMEOUT'),
  TOO_MANY_REQUESTS: engine(503, 'The connection has served as many requests as it may.', [], null),
  INTERNAL_ERROR: engine(500, 'The server could not handle the request.', ['ConfigurationProblem'], null),
} as const satisfies Record<string, HttpErrorRow>

export type HttpErrorCode = keyof typeof ERRORS

/** An error as results carry it: its row with its code. */
export type HttpError = HttpErrorRow & { readonly code: HttpErrorCode }

/** The errors by code, each a constant: results carry these very objects. */
export const HTTP_ERRORS: { readonly [Code in HttpErrorCode]: HttpError & { readonly code: Code } } =
  Object.fromEntries(Object.entries(ERRORS).map(([code, row]) => [code, Object.freeze({ code, ...row })])) as never
