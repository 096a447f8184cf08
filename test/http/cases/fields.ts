/** Fields: names, values, Host, what may be repeated. */
import { get, type OwnCase } from './shape.ts'

const headers = (...raw: string[]) => ({ rawHeaders: ['Host', 'a', ...raw] })
const host = (value: string): string => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`
const folding = { permitObsoleteFolding: true }

export const VALUES: readonly OwnCase[] = [
  {
    title: 'SP and HTAB around a value are stripped',
    raw: get('X: \t b c\t d \t\r\n'),
    requests: [headers('X', 'b c\t d')],
  },
  { title: 'an empty value is accepted', raw: get('X:\r\nY: \t \r\n'), requests: [headers('X', '', 'Y', '')] },
  {
    title: 'values are latin1',
    raw: get('X: caf\xc3\xa9 \x80\xff\r\n'),
    requests: [headers('X', 'caf\xc3\xa9 \x80\xff')],
  },
  { title: '0xA0 is no white space', raw: get('X: \xa0b\xa0 \r\n'), requests: [headers('X', '\xa0b\xa0')] },
  {
    title: 'every printable byte is accepted',
    raw: get('X: !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\r\n'),
    requests: [headers('X', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')],
  },
  ...['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x1f', '\x7f'].map((byte) => ({
    title: `0x${byte.charCodeAt(0).toString(16)} in a value is 400`,
    raw: get(`X: b${byte}c\r\n`),
    error: 'FIELD_VALUE_INVALID' as const,
  })),
  { title: 'LF in a value is 400', raw: get('X: b\nY: c\r\n'), error: 'BARE_LF' },
  { title: 'CR in a value is 400', raw: get('X: b\rY: c\r\n'), error: 'BARE_CR' },
  { title: 'LF in place of the empty line is 400', raw: 'GET / HTTP/1.1\r\nHost: a\r\n\n', error: 'BARE_LF' },
  { title: 'CR in place of the empty line is 400', raw: 'GET / HTTP/1.1\r\nHost: a\r\n\rX', error: 'BARE_CR' },
]

export const FOLDING: readonly OwnCase[] = [
  { title: 'a folded value is 400', raw: get('X: b\r\n c\r\n'), error: 'OBSOLETE_FOLDING' },
  { title: 'a value folded with a tab is 400', raw: get('X: b\r\n\tc\r\n'), error: 'OBSOLETE_FOLDING' },
  { title: 'a line of white space is a fold', raw: get('X: b\r\n \r\n'), error: 'OBSOLETE_FOLDING' },
  {
    title: 'each fold becomes one space where it is permitted',
    raw: get('X: b \r\n\t c\r\n  d\r\nY: e\r\n'),
    options: folding,
    requests: [headers('X', 'b c d', 'Y', 'e')],
  },
  {
    title: 'a line of white space between two others is a fold more',
    raw: get('X: b\r\n \r\n\t\r\n c\r\n \r\n'),
    options: folding,
    requests: [headers('X', 'b   c')],
  },
  {
    title: 'a value may begin on its second line',
    raw: get('X:\r\n b\r\n'),
    options: folding,
    requests: [headers('X', 'b')],
  },
  {
    title: 'the folded line is white space only',
    raw: get('X: b\r\n \r\n'),
    options: folding,
    requests: [headers('X', 'b')],
  },
  {
    title: 'Content-Type may be folded',
    raw: get('Content-Type: b;\r\n c=d\r\n'),
    options: folding,
    requests: [headers('Content-Type', 'b; c=d')],
  },
  {
    title: 'a folded Content-Type may still not be repeated',
    raw: get('Content-Type: b;\r\n c=d\r\nContent-Type: e\r\n'),
    options: folding,
    error: 'CONTENT_TYPE_REPEATED',
  },
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Upgrade', 'Expect'].map((name) => ({
    title: `${name} may never be folded`,
    raw: `POST / HTTP/1.0\r\n${name}: 1\r\n 2\r\n\r\n`,
    options: folding,
    error: 'OBSOLETE_FOLDING' as const,
  })),
  {
    title: 'a fold before the first field is 400 all the same',
    raw: 'GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n',
    options: folding,
    error: 'FIELD_NAME_INVALID',
  },
  {
    title: 'the limit of a field counts all its lines',
    raw: get(`X: b\r\n${` ${'c'.repeat(4096)}\r\n`.repeat(4)}`),
    options: folding,
    error: 'FIELD_TOO_LARGE',
  },
  {
    title: 'a control character on a folded line is 400',
    raw: get('X: b\r\n c\0\r\n'),
    options: folding,
    error: 'FIELD_VALUE_INVALID',
  },
]

export const NAMES: readonly OwnCase[] = [
  {
    title: 'names keep the spelling of the client',
    raw: get('x-A: b\r\nX-a: c\r\n'),
    requests: [headers('x-A', 'b', 'X-a', 'c')],
  },
  {
    title: 'every tchar is accepted',
    raw: get("!#$%&'*+-.^`|~09azAZ: b\r\n"),
    requests: [headers("!#$%&'*+-.^`|~09azAZ", 'b')],
  },
  {
    title: 'a name longer than any known one is accepted',
    raw: get(`${'N'.repeat(300)}: b\r\n`),
    requests: [headers('N'.repeat(300), 'b')],
  },
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((name) => ({
    title: `${name} is an ordinary name`,
    raw: get(`${name}: b\r\n`),
    requests: [headers(name, 'b')],
  })),
  ...[
    ' X: b',
    'X : b',
    'X\t: b',
    'X Y: b',
    ': b',
    'X',
    'X\0: b',
    'X\xe9: b',
    '(X): b',
    'X\n: b',
    'X\r: b',
    '"X": b',
  ].map((line) => ({
    title: `${JSON.stringify(line)} is no field`,
    raw: `GET / HTTP/1.1\r\n${line}\r\nHost: a\r\n\r\n`,
    error: 'FIELD_NAME_INVALID' as const,
  })),
]

export const UNDERSCORES: readonly OwnCase[] = [
  { title: 'names with _ are kept', raw: get('X_Y: b\r\n'), requests: [headers('X_Y', 'b')] },
  {
    title: 'names with _ are dropped where that is set',
    raw: get('X_Y: b\r\nZ: c\r\n'),
    options: { headerMap: 'drop' },
    requests: [headers('Z', 'c')],
  },
  {
    title: 'names with _ are refused where that is set',
    raw: get('X_Y: b\r\n'),
    options: { headerMap: 'refuse' },
    error: 'FIELD_NAME_UNDERSCORE',
  },
  ...['Content_Length', 'content_length', 'Transfer_Encoding', 'TRANSFER_encoding'].map((name) => ({
    title: `${name} is always refused`,
    raw: get(`${name}: 1\r\n`),
    options: { headerMap: 'drop' as const },
    error: 'FIELD_NAME_UNDERSCORE' as const,
  })),
]

export const HOSTS: readonly OwnCase[] = [
  { title: 'HTTP/1.1 without Host is 400', raw: 'GET / HTTP/1.1\r\n\r\n', error: 'HOST_MISSING' },
  {
    title: 'HTTP/1.1 without Host is accepted where it is not required',
    raw: 'GET / HTTP/1.1\r\n\r\n',
    options: { requireHostHeader: false },
    requests: [{ rawHeaders: [] }],
  },
  { title: 'HTTP/1.0 needs no Host', raw: 'GET / HTTP/1.0\r\n\r\n', requests: [{ minorVersion: 0 }] },
  { title: 'Host twice is 400', raw: get('Host: a\r\n'), error: 'HOST_REPEATED' },
  { title: 'Host twice is 400 in HTTP/1.0 too', raw: get('host: a\r\n', 'GET / HTTP/1.0'), error: 'HOST_REPEATED' },
  {
    title: 'Host twice is 400 where none is required',
    raw: get('host: a\r\n'),
    options: { requireHostHeader: false },
    error: 'HOST_REPEATED',
  },
  ...[
    ' a',
    'a.b.',
    'a_b',
    '_',
    'A-1:8080',
    'a:',
    '127.0.0.1',
    '[::1]',
    '[::ffff:1.2.3.4]:80',
    '[v1.a:b]',
    'a%2Fb',
    '0.0.0.0=5000',
    "!$&'()*+,;=-._~",
    'a:99999',
  ].map((value) => ({
    title: `Host may be ${JSON.stringify(value)}`,
    raw: host(value),
    requests: [{ rawHeaders: ['Host', value.trim()] }],
  })),
  ...[
    '',
    ' ',
    ':80',
    'a b',
    'a:b',
    'a:1:2',
    'a:-1',
    'http://a',
    'a/',
    'u@a',
    '[::1',
    '::1',
    '[::1]a',
    '[1]',
    '[::1%25eth0]',
    'a%2',
    'a%zz',
    'a%',
    'caf\xe9',
    '[1.2.3.4]',
    'a\\b',
    'a"',
    '[]',
    '[v1]',
    'a, b',
  ].map((value) => ({
    title: `Host may not be ${JSON.stringify(value)}`,
    raw: host(value),
    error: 'HOST_INVALID' as const,
  })),
]

export const REPEATED: readonly OwnCase[] = [
  {
    title: 'Content-Type twice is 400',
    raw: get('Content-Type: b\r\nContent-Type: b\r\n'),
    error: 'CONTENT_TYPE_REPEATED',
  },
  {
    title: 'Content-Length twice is 400',
    raw: get('Content-Length: 0\r\nContent-Length: 0\r\n'),
    error: 'CONTENT_LENGTH_REPEATED',
  },
  {
    title: 'other fields come as often as they were sent',
    raw: get('Cookie: b\r\ncookie: c\r\nAccept: d\r\nAccept: e\r\n'),
    requests: [headers('Cookie', 'b', 'cookie', 'c', 'Accept', 'd', 'Accept', 'e')],
  },
]
