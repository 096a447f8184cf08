/** The request line. */
import { get, type OwnCase } from './shape.ts'

const target = (text: string, method = 'GET'): string => get('', `${method} ${text} HTTP/1.1`)
const version = (text: string): string => get('', `GET / ${text}`)

export const LIMITS: readonly OwnCase[] = [
  {
    title: 'a request line of exactly 16 KB is accepted',
    raw: target(`/${'a'.repeat(16384 - 14)}`),
    requests: [{ method: 'GET' }],
  },
  {
    title: 'a request line of one byte more is 414',
    raw: target(`/${'a'.repeat(16384 - 13)}`),
    error: 'REQUEST_LINE_TOO_LONG',
  },
  {
    title: 'a request line over the limit is 414 before its end has come',
    raw: `GET /${'a'.repeat(16384)}`,
    error: 'REQUEST_LINE_TOO_LONG',
  },
  { title: 'a method of 100 KB without a space is 400', raw: 'A'.repeat(102400), error: 'METHOD_MALFORMED' },
  {
    title: 'an unlimited request line is still 414 where the head may not be larger',
    raw: `GET /${'a'.repeat(70000)} HTTP/1.1\r\n`,
    options: { limitRequestLine: 0 },
    error: 'REQUEST_LINE_TOO_LONG',
  },
  {
    title: 'a field of exactly 16 KB with its CRLF is accepted',
    raw: get(`X: ${'a'.repeat(16384 - 5)}\r\n`),
    requests: [{}],
  },
  { title: 'a field of one byte more is 431', raw: get(`X: ${'a'.repeat(16384 - 4)}\r\n`), error: 'FIELD_TOO_LARGE' },
  { title: 'a field name without an end is 431', raw: get(`${'X'.repeat(20000)}`), error: 'FIELD_TOO_LARGE' },
  { title: 'a field of white space only is 431 as well', raw: get(`X:${' '.repeat(20000)}`), error: 'FIELD_TOO_LARGE' },
  { title: '100 fields are accepted', raw: get('X: y\r\n'.repeat(99)), requests: [{}] },
  { title: 'a field more is 431', raw: get('X: y\r\n'.repeat(100)), error: 'TOO_MANY_FIELDS' },
  { title: 'a head over 64 KB is 431', raw: get(`X: ${'a'.repeat(16000)}\r\n`.repeat(5)), error: 'HEAD_TOO_LARGE' },
  {
    title: 'a head of exactly its limit is accepted',
    raw: get(),
    options: { limitRequestHead: get().length },
    requests: [{}],
  },
  {
    title: 'a head of one byte more is 431',
    raw: get(),
    options: { limitRequestHead: get().length - 1 },
    error: 'HEAD_TOO_LARGE',
  },
  {
    title: 'fields without a limit of their own are accepted',
    raw: get('X: y\r\n'.repeat(3000)),
    options: { limitRequestFields: 0 },
    requests: [{}],
  },
]

export const ORDER: readonly OwnCase[] = [
  {
    title: 'a malformed line comes before its version',
    raw: 'GET / HTTP/2.0 \r\n\r\n',
    error: 'REQUEST_LINE_MALFORMED',
  },
  { title: 'a relative target comes before the version', raw: 'GET a/b HTTP/2.0\r\n\r\n', error: 'TARGET_FORM' },
  { title: 'the version comes before the method', raw: 'FROB / HTTP/2.0\r\n\r\n', error: 'VERSION_UNSUPPORTED' },
  { title: 'the method comes before the fields', raw: 'FROB / HTTP/1.1\r\n: x\r\n\r\n', error: 'METHOD_UNKNOWN' },
  {
    title: 'the method comes before the form that it may have',
    raw: 'FROB * HTTP/1.1\r\nHost: a\r\n\r\n',
    error: 'METHOD_UNKNOWN',
  },
  { title: 'a request line that ends after the target is 400', raw: 'GET /\r\n\r\n', error: 'REQUEST_LINE_MALFORMED' },
  {
    title: 'two spaces before the target are 400',
    raw: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    error: 'REQUEST_LINE_MALFORMED',
  },
  {
    title: 'two spaces before the version are 400',
    raw: 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n',
    error: 'VERSION_MALFORMED',
  },
  {
    title: 'a tab between method and target is 400',
    raw: 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n',
    error: 'METHOD_MALFORMED',
  },
  { title: 'a space before the method is 400', raw: ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', error: 'METHOD_MALFORMED' },
  {
    title: 'a line that ends with LF alone is 400',
    raw: 'GET / HTTP/1.1\nHost: a\n\n',
    error: 'REQUEST_LINE_MALFORMED',
  },
  {
    title: 'a line that ends with CR alone is 400',
    raw: 'GET / HTTP/1.1\rHost: a\r\r',
    error: 'REQUEST_LINE_MALFORMED',
  },
  {
    title: 'a TLS client hello is 400',
    raw: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    error: 'METHOD_MALFORMED',
  },
]

export const METHODS: readonly OwnCase[] = [
  { title: 'an unknown method is 501', raw: get('', 'FROB / HTTP/1.1'), error: 'METHOD_UNKNOWN' },
  {
    title: 'an unknown method is accepted where it is permitted',
    raw: get('', 'Fr-ob / HTTP/1.1'),
    options: { permitUnconventionalHttpMethod: true },
    requests: [{ method: 'Fr-ob' }],
  },
  { title: 'a method in lower case is 400', raw: get('', 'get / HTTP/1.1'), error: 'METHOD_MALFORMED' },
  { title: 'a method that is no token is 400', raw: get('', 'GE(T / HTTP/1.1'), error: 'METHOD_MALFORMED' },
  {
    title: 'what is no token stays 400 where unconventional methods are permitted',
    raw: get('', 'GE(T / HTTP/1.1'),
    options: { permitUnconventionalHttpMethod: true },
    error: 'METHOD_MALFORMED',
  },
  {
    title: 'a method that only begins with a known one is unknown',
    raw: get('', 'GETS / HTTP/1.1'),
    error: 'METHOD_UNKNOWN',
  },
  { title: 'a method with a hyphen is known', raw: get('', 'M-SEARCH / HTTP/1.1'), requests: [{ method: 'M-SEARCH' }] },
  {
    title: 'only the methods of this server are implemented',
    raw: get('', 'DELETE / HTTP/1.1'),
    options: { methods: ['GET'] },
    error: 'METHOD_UNKNOWN',
  },
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'].map((method) => ({
    title: `${method} is known`,
    raw: get('', `${method} /${method} HTTP/1.1`),
    requests: [{ method, target: `/${method}` }],
  })),
]

export const VERSIONS: readonly OwnCase[] = [
  { title: 'HTTP/1.0 is served as 1.0', raw: version('HTTP/1.0'), requests: [{ minorVersion: 0, keepAlive: false }] },
  ...['1.1', '1.2', '1.9'].map((number) => ({
    title: `HTTP/${number} is served as 1.1`,
    raw: version(`HTTP/${number}`),
    requests: [{ minorVersion: 1 as const, keepAlive: true }],
  })),
  ...['2.0', '3.7', '9.9', '0.9', '0.0'].map((number) => ({
    title: `HTTP/${number} is 505`,
    raw: version(`HTTP/${number}`),
    error: 'VERSION_UNSUPPORTED' as const,
  })),
  { title: 'the preface of HTTP/2 is 505', raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', error: 'VERSION_UNSUPPORTED' },
  ...[
    'HTTP/1',
    'HTTP/1.',
    'HTTP/1.10',
    'HTTP/11.1',
    'http/1.1',
    'HTTP/1,1',
    'HTTP /1.1',
    'HTTP/+1.1',
    'HTTPS/1.1',
    'ICE/1.0',
  ].map((text) => ({
    title: `${text} is a malformed version`,
    raw: version(text),
    error: 'VERSION_MALFORMED' as const,
  })),
]

export const TARGET_BYTES: readonly OwnCase[] = [
  {
    title: 'every byte from 0x21 to 0x7E but # is accepted and kept',
    raw: target('/!"$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~'),
    requests: [{ target: '/!"$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~' }],
  },
  { title: 'percent escapes are not checked', raw: target('/%zz%'), requests: [{ target: '/%zz%' }] },
  { title: 'a fragment is 400', raw: target('/a#b'), error: 'TARGET_CHARACTER' },
  { title: 'raw UTF-8 is 400', raw: target('/caf\xc3\xa9'), error: 'TARGET_CHARACTER' },
  { title: 'DEL is 400', raw: target('/\x7f'), error: 'TARGET_CHARACTER' },
  { title: 'NUL is 400', raw: target('/\0'), error: 'TARGET_CHARACTER' },
  { title: 'a tab is 400', raw: target('/a\tb'), error: 'TARGET_CHARACTER' },
]

const absolute = (uri: string, authority: string): OwnCase => ({
  title: `${uri} is absolute, and its host is ${authority}`,
  raw: target(uri),
  requests: [{ target: uri, authority, rawHeaders: ['Host', 'a'] }],
})

export const TARGET_FORMS: readonly OwnCase[] = [
  { title: 'origin-form has no authority', raw: target('//b/c?d'), requests: [{ target: '//b/c?d', authority: null }] },
  absolute('http://b/c?d', 'b'),
  absolute('http://b', 'b'),
  absolute('http://b?c', 'b'),
  absolute('HTTP://B:80/', 'B:80'),
  absolute('https://[::1]:8443/x', '[::1]:8443'),
  absolute('http://user:pass@b:8/c@d', 'b:8'),
  absolute('http://b:/', 'b:'),
  absolute('svn+ssh2://b/', 'b'),
  { title: 'absolute-form needs Host as well', raw: 'GET http://b/ HTTP/1.1\r\n\r\n', error: 'HOST_MISSING' },
  ...[
    'http:///',
    'http://',
    'http://:80/',
    'http://u@/',
    'http://a@b@c/',
    'http://b:x/',
    'http://[::1/',
    'http://[::1]x/',
    'http:/b',
    'urn:b',
    '://b',
    '1http://b/',
  ].map((uri) => ({ title: `${uri} is no absolute-form`, raw: target(uri), error: 'TARGET_FORM' as const })),
  { title: '* is for OPTIONS', raw: target('*', 'OPTIONS'), requests: [{ method: 'OPTIONS', target: '*' }] },
  { title: '* is for nothing else', raw: target('*'), error: 'TARGET_FORM' },
  {
    title: 'authority-form is for CONNECT',
    raw: target('b:443', 'CONNECT'),
    requests: [{ target: 'b:443', authority: null }],
  },
  {
    title: 'authority-form may be an IP literal',
    raw: target('[2001:db8::1]:443', 'CONNECT'),
    requests: [{ target: '[2001:db8::1]:443' }],
  },
  { title: 'authority-form is for nothing else', raw: target('b:443'), error: 'TARGET_FORM' },
  ...['/', '*', 'http://b/', 'b', 'b:', 'b:0', 'b:65536', 'b:443/', ':443', '[::1]', 'u@b:443'].map((text) => ({
    title: `CONNECT ${text} is 400`,
    raw: target(text, 'CONNECT'),
    error: 'TARGET_FORM' as const,
  })),
  ...['b', 'b/c', './b', '?b', '**'].map((text) => ({
    title: `${text} is relative`,
    raw: target(text),
    error: 'TARGET_FORM' as const,
  })),
]

export const EMPTY_LINES: readonly OwnCase[] = [
  { title: 'CRLF before a request line is skipped', raw: `\r\n\r\n${get()}`, requests: [{ method: 'GET' }] },
  { title: 'CRLF between two requests is skipped', raw: `${get()}\r\n${get()}`, requests: [{}, {}] },
  { title: 'CRLF and nothing more is no request', raw: '\r\n\r\n', requests: [] },
  { title: 'CRLF without end is 431', raw: '\r\n'.repeat(40000), error: 'HEAD_TOO_LARGE' },
  { title: 'LF before a request line is 400', raw: `\n${get()}`, error: 'REQUEST_LINE_MALFORMED' },
  { title: 'CR before a request line is 400', raw: `\r${get()}`, error: 'REQUEST_LINE_MALFORMED' },
]
