/** Where bodies end, and what comes before and after them. */
import { chunked, get, type OwnCase } from './shape.ts'

const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`
const CHUNKED = { kind: 'chunked' } as const

export const LENGTHS: readonly OwnCase[] = [
  {
    title: 'a body of its length',
    raw: post('Content-Length: 3', `bcd${get()}`),
    requests: [{ framing: { kind: 'length', length: 3 }, body: 'bcd' }, {}],
  },
  {
    title: 'a length of 0 is no body',
    raw: post('Content-Length: 0', get()),
    requests: [{ framing: { kind: 'none' } }, {}],
  },
  { title: 'leading zeros count for nothing', raw: post('Content-Length: 0003', 'bcd'), requests: [{ body: 'bcd' }] },
  {
    title: '2^53 - 1 is a length',
    raw: post('Content-Length: 9007199254740991', 'b'),
    requests: [{ framing: { kind: 'length', length: 9007199254740991 }, complete: false }],
    error: 'REQUEST_INCOMPLETE',
  },
  ...[
    '',
    '3, 3',
    '3,3',
    '+3',
    '-3',
    '3 3',
    '0x3',
    '3.0',
    '3e0',
    '3a',
    'a',
    '9007199254740992',
    '99999999999999999999',
    '٣',
  ].map((value) => ({
    title: `Content-Length ${JSON.stringify(value)} is 400`,
    raw: Buffer.from(post(`Content-Length: ${value}`, 'bcd')).toString('latin1'),
    error: 'CONTENT_LENGTH_INVALID' as const,
  })),
  {
    title: 'two lengths are 400 even if they are equal',
    raw: post('Content-Length: 3\r\nContent-Length: 3', 'bcd'),
    error: 'CONTENT_LENGTH_REPEATED',
  },
  {
    title: 'a body that ends too early is incomplete',
    raw: post('Content-Length: 3', 'bc'),
    requests: [{ body: 'bc', complete: false }],
    error: 'REQUEST_INCOMPLETE',
  },
  {
    title: 'a head that ends too early is incomplete',
    raw: 'GET / HTTP/1.1\r\nHost: a\r\n',
    error: 'REQUEST_INCOMPLETE',
  },
]

export const ENCODINGS: readonly OwnCase[] = [
  ...['chunked', 'Chunked', ' \tCHUNKED\t '].map((value) => ({
    title: `Transfer-Encoding ${JSON.stringify(value)} is chunked`,
    raw: post(`Transfer-Encoding:${value}`, '0\r\n\r\n'),
    requests: [{ framing: CHUNKED, complete: true }],
  })),
  {
    title: 'with Content-Length it is 400',
    raw: post('Transfer-Encoding: chunked\r\nContent-Length: 3', '0\r\n\r\n'),
    error: 'TRANSFER_ENCODING_WITH_LENGTH',
  },
  {
    title: 'with a Content-Length of 0 it is 400',
    raw: post('Content-Length: 0\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    error: 'TRANSFER_ENCODING_WITH_LENGTH',
  },
  {
    title: 'an empty one with Content-Length is 400',
    raw: post('Transfer-Encoding:\r\nContent-Length: 3', 'bcd'),
    error: 'TRANSFER_ENCODING_WITH_LENGTH',
  },
  {
    title: 'an unknown coding with Content-Length is 400, not 501',
    raw: post('Transfer-Encoding: gzip, chunked\r\nContent-Length: 3'),
    error: 'TRANSFER_ENCODING_WITH_LENGTH',
  },
  {
    title: 'in HTTP/1.0 it is 400',
    raw: 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    error: 'TRANSFER_ENCODING_IN_1_0',
  },
  {
    title: 'an unknown coding in HTTP/1.0 is 400, not 501',
    raw: 'POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    error: 'TRANSFER_ENCODING_IN_1_0',
  },
  ...[
    '',
    'identity',
    'gzip',
    'chunked, gzip',
    'chunked, identity',
    'chunked, chunked',
    'chunked;q=1',
    'chunked ;q=1',
    'gzip;q=1, chunked',
    'chunked,',
    ', chunked',
    'xchunked',
    'chunke',
    '"chunked"',
    'chunked chunked',
    'gzip, , chunked',
  ].map((value) => ({
    title: `Transfer-Encoding ${JSON.stringify(value)} is 400`,
    raw: post(`Transfer-Encoding: ${value}`),
    error: 'TRANSFER_ENCODING_INVALID' as const,
  })),
  {
    title: 'chunked in two fields is 400',
    raw: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    error: 'TRANSFER_ENCODING_INVALID',
  },
  ...['gzip, chunked', 'identity, chunked', 'GZIP,\tChunked'].map((value) => ({
    title: `Transfer-Encoding ${JSON.stringify(value)} is 501`,
    raw: post(`Transfer-Encoding: ${value}`),
    error: 'TRANSFER_CODING_UNSUPPORTED' as const,
  })),
  {
    title: 'an unknown coding in a field of its own is 501',
    raw: post('Transfer-Encoding: br\r\nTransfer-Encoding: chunked'),
    error: 'TRANSFER_CODING_UNSUPPORTED',
  },
]

const broken = (title: string, body: string, error: OwnCase['error'] & string): OwnCase => ({
  title,
  raw: chunked(body),
  error,
})

export const CHUNKS: readonly OwnCase[] = [
  {
    title: 'chunks are joined',
    raw: chunked(`3\r\nbcd\r\nA\r\n0123456789\r\na\r\nabcdefghij\r\n00\r\n\r\n${get()}`),
    requests: [{ body: 'bcd0123456789abcdefghij', trailers: [] }, {}],
  },
  {
    title: 'data may look like anything',
    raw: chunked('7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n'),
    requests: [{ body: '\r\n0\r\n\r\n' }],
  },
  {
    title: 'extensions are checked and ignored',
    raw: chunked('3;a;b=c; d = "e;\\"\xe9" ;f\r\nbcd\r\n0;g\r\n\r\n'),
    requests: [{ body: 'bcd' }],
  },
  ...[
    '0x3',
    '+3',
    '-3',
    '3_0',
    ' 3',
    '3 ',
    '3\t',
    '3 ;a',
    '',
    ';a',
    'g',
    '3g',
    '3.',
    '"3"',
    '00000000000000003',
    '20000000000000',
    'fffffffffffffff',
  ].map((size) =>
    broken(`a chunk size ${JSON.stringify(size)} is 400`, `${size}\r\nbcd\r\n0\r\n\r\n`, 'CHUNK_SIZE_INVALID'),
  ),
  broken('a size line that ends with LF is 400', '3\nbcd\r\n0\r\n\r\n', 'BARE_LF'),
  broken('a size line that ends with CR is 400', '3\rbcd\r\n0\r\n\r\n', 'BARE_CR'),
  broken('data longer than its size is 400', '3\r\nbcde\r\n0\r\n\r\n', 'CHUNK_TERMINATOR_MISSING'),
  broken('data that ends with LF is 400', '3\r\nbcd\n0\r\n\r\n', 'CHUNK_TERMINATOR_MISSING'),
  broken('data that ends with CR is 400', '3\r\nbcd\r0\r\n\r\n', 'CHUNK_TERMINATOR_MISSING'),
  ...[';', ';;a', ';a;', ';a=', ';=a', ';a b', ';a="b', ';a="b"c', ';a\0', ';a=b=c', ';a="\0"', ';a\n'].map(
    (extension) =>
      broken(
        `a chunk extension ${JSON.stringify(extension)} is 400`,
        `3${extension}\r\nbcd\r\n0\r\n\r\n`,
        'CHUNK_EXTENSION_INVALID',
      ),
  ),
  broken('a CR in an extension is 400', '3;a=b\rc\r\nbcd\r\n0\r\n\r\n', 'BARE_CR'),
  broken('one extension over 16 KB is 400', `3;${'a'.repeat(16384)}\r\nbcd\r\n0\r\n\r\n`, 'CHUNK_EXTENSIONS_TOO_LARGE'),
  broken(
    'many small ones over 16 KB are 400',
    `${'1;aaaaaaa\r\nb\r\n'.repeat(2100)}0\r\n\r\n`,
    'CHUNK_EXTENSIONS_TOO_LARGE',
  ),
  {
    title: 'a body without its last chunk is incomplete',
    raw: chunked('3\r\nbcd\r\n'),
    requests: [{ body: 'bcd', complete: false }],
    error: 'REQUEST_INCOMPLETE',
  },
]

export const SIZES: readonly OwnCase[] = [
  {
    title: 'no body is too large by default',
    raw: post('Content-Length: 999999999999', 'b'),
    requests: [{ complete: false }],
    error: 'REQUEST_INCOMPLETE',
  },
  {
    title: 'a length of just the limit is accepted',
    raw: post('Content-Length: 3', 'bcd'),
    options: { limitRequestBody: 3 },
    requests: [{ body: 'bcd' }],
  },
  {
    title: 'a length over the limit is 413',
    raw: post('Content-Length: 4', 'bcde'),
    options: { limitRequestBody: 3 },
    error: 'BODY_TOO_LARGE',
  },
  {
    title: 'chunks of just the limit are accepted',
    raw: chunked('1\r\nb\r\n2\r\ncd\r\n0\r\n\r\n'),
    options: { limitRequestBody: 3 },
    requests: [{ body: 'bcd' }],
  },
  {
    title: 'chunks over the limit are 413 before their data',
    raw: chunked('1\r\nb\r\n3\r\n'),
    options: { limitRequestBody: 3 },
    requests: [{ body: 'b', complete: false }],
    error: 'BODY_TOO_LARGE',
  },
]

export const TRAILERS: readonly OwnCase[] = [
  {
    title: 'trailers are fields',
    raw: chunked(`0\r\nX-a: b \r\nY:\tc\r\n\r\n${get()}`),
    requests: [{ trailers: ['X-a', 'b', 'Y', 'c'] }, {}],
  },
  {
    title: 'Connection among the trailers says nothing of the connection',
    raw: chunked(`0\r\nConnection: close\r\n\r\n${get()}`),
    requests: [{ trailers: ['Connection', 'close'], keepAlive: true }, {}],
  },
  ...['Content-Length', 'transfer-encoding', 'Host', 'Trailer', 'Authorization', 'TE'].map((name) =>
    broken(`${name} among the trailers is 400`, `0\r\nX: b\r\n${name}: 1\r\n\r\n`, 'TRAILER_FORBIDDEN'),
  ),
  broken('Content_Length among the trailers is 400', '0\r\nContent_Length: 1\r\n\r\n', 'FIELD_NAME_UNDERSCORE'),
  broken('a trailer without a colon is 400', '0\r\nX\r\n\r\n', 'FIELD_NAME_INVALID'),
  broken('a folded trailer is 400', '0\r\nX: b\r\n c\r\n\r\n', 'OBSOLETE_FOLDING'),
  broken('a control character in a trailer is 400', '0\r\nX: \0\r\n\r\n', 'FIELD_VALUE_INVALID'),
  broken('more than 100 trailers are 431', `0\r\n${'X: b\r\n'.repeat(101)}\r\n`, 'TOO_MANY_FIELDS'),
  broken('a trailer over 16 KB is 431', `0\r\nX: ${'b'.repeat(16384)}\r\n\r\n`, 'FIELD_TOO_LARGE'),
  broken('trailers over 64 KB are 431', `0\r\n${`X: ${'b'.repeat(16000)}\r\n`.repeat(5)}\r\n`, 'HEAD_TOO_LARGE'),
  {
    title: 'names with _ are kept among trailers',
    raw: chunked('0\r\nX_Y: b\r\n\r\n'),
    requests: [{ trailers: ['X_Y', 'b'] }],
  },
  {
    title: 'names with _ are dropped there where that is set',
    raw: chunked('0\r\nX_Y: b\r\n\r\n'),
    options: { headerMap: 'drop' },
    requests: [{ trailers: [] }],
  },
  {
    title: 'names with _ are refused there where that is set',
    raw: chunked('0\r\nX_Y: b\r\n\r\n'),
    options: { headerMap: 'refuse' },
    error: 'FIELD_NAME_UNDERSCORE',
  },
  {
    title: 'folded trailers are joined where that is permitted',
    raw: chunked('0\r\nX: b\r\n c\r\n\r\n'),
    options: { permitObsoleteFolding: true },
    requests: [{ trailers: ['X', 'b c'] }],
  },
]
