/** What a request says about its connection and about what comes before it. */
import { SECURE_SCHEME_HEADERS } from '../../../lib/http/proxy/forwarded.ts'
import { get, type OwnCase } from './shape.ts'

const expectation = (value: string, expect: 'none' | 'continue' | 'other', line?: string): OwnCase => ({
  title: `Expect ${JSON.stringify(value)} is ${expect}${line === undefined ? '' : ' in HTTP/1.0'}`,
  raw: get(`Expect: ${value}\r\n`, line),
  requests: [{ expect }],
})

export const EXPECTATIONS: readonly OwnCase[] = [
  { title: 'nothing is expected', raw: get(), requests: [{ expect: 'none' }] },
  expectation('100-continue', 'continue'),
  expectation('100-Continue', 'continue'),
  expectation('100-continue, 100-CONTINUE', 'continue'),
  expectation('', 'none'),
  expectation(', ,', 'none'),
  expectation('b', 'other'),
  expectation('100-continue, b', 'other'),
  expectation('100-continue;b', 'other'),
  expectation('100-continue', 'none', 'GET / HTTP/1.0'),
  expectation('b', 'none', 'GET / HTTP/1.0'),
  {
    title: 'two Expect fields are one list',
    raw: get('Expect: 100-continue\r\nExpect: b\r\n'),
    requests: [{ expect: 'other' }],
  },
]

const upgrade = (title: string, fields: string, upgraded: boolean, line?: string): OwnCase => ({
  title,
  raw: get(fields, line),
  requests: [{ upgrade: upgraded }],
})

export const UPGRADES: readonly OwnCase[] = [
  upgrade('Upgrade with its Connection option', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', true),
  upgrade('the option among others', 'Connection: keep-alive, UPGRADE\r\nUpgrade: WebSocket\r\n', true),
  upgrade(
    'the option in a field of its own',
    'Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: a/1\r\n',
    true,
  ),
  upgrade('Upgrade without the option', 'Upgrade: websocket\r\n', false),
  upgrade('an empty Upgrade', 'Connection: upgrade\r\nUpgrade:\r\n', false),
  upgrade('h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n', false),
  upgrade('h2c or something else', 'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n', true),
  upgrade('HTTP/1.0', 'Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n', false, 'GET / HTTP/1.0'),
  {
    title: 'Connection: upgrade alone is ordinary and keeps alive',
    raw: get('Connection: upgrade\r\n'),
    requests: [{ upgrade: false, keepAlive: true }],
  },
  {
    title: 'h2c has its body',
    raw: `POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nb${get()}`,
    requests: [{ upgrade: false, body: 'b' }, {}],
  },
]

const persistence = (fields: string, keepAlive: boolean, line = 'GET / HTTP/1.1'): OwnCase => ({
  title: `${line.slice(-8)} with ${JSON.stringify(fields)} ${keepAlive ? 'goes on' : 'closes'}`,
  raw: get(fields, line) + get(),
  requests: keepAlive ? [{ keepAlive }, {}] : [{ keepAlive }],
})

export const PERSISTENCE: readonly OwnCase[] = [
  persistence('', true),
  persistence('Connection: close\r\n', false),
  persistence('Connection: CLOSE\r\n', false),
  persistence('Connection: foo , Close\r\n', false),
  persistence('Connection: keep-alive, close\r\n', false),
  persistence('Connection: keep-alive\r\nConnection: close\r\n', false),
  persistence('Connection: closed\r\n', true),
  persistence('Connection: constructor, toString\r\n', true),
  persistence('', false, 'GET / HTTP/1.0'),
  persistence('Connection: Keep-Alive\r\n', true, 'GET / HTTP/1.0'),
  persistence('Connection: keep-alive, close\r\n', false, 'GET / HTTP/1.0'),
  {
    title: 'bytes after a request that closes are ignored',
    raw: `${get('Connection: close\r\n')}\0\0`,
    requests: [{ keepAlive: false }],
  },
  {
    title: 'an error in the second request leaves the first',
    raw: `${get()}\0`,
    requests: [{ keepAlive: true }],
    error: 'METHOD_MALFORMED',
  },
]

const V2 = '\r\n\r\n\0\r\nQUIT\n'
const v1 = { proxyProtocol: 'v1' as const }
const v2 = { proxyProtocol: 'v2' as const }
const auto = { proxyProtocol: 'auto' as const }
const IPV4 = '\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x10\x00\x00\x50'

const line = (text: string): OwnCase => ({
  title: `PROXY line ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text)} is 400`,
  raw: text + get(),
  options: v1,
  error: 'PROXY_LINE_INVALID',
})
const header = (text: string): OwnCase => ({
  title: `PROXY header ${JSON.stringify(text)} is 400`,
  raw: V2 + text + get(),
  options: v2,
  error: 'PROXY_HEADER_INVALID',
})

export const PROXY: readonly OwnCase[] = [
  {
    title: 'version 1, IPv4',
    raw: `PROXY TCP4 1.2.3.4 5.6.7.8 4096 80\r\n${get()}`,
    options: v1,
    requests: [{}],
    proxy: '1.2.3.4:4096',
  },
  {
    title: 'version 1, IPv6',
    raw: `PROXY TCP6 2001:db8::1 ::1 4096 80\r\n${get()}`,
    options: auto,
    requests: [{}],
    proxy: '2001:db8::1:4096',
  },
  { title: 'version 1, unknown', raw: `PROXY UNKNOWN\r\n${get()}`, options: v1, requests: [{}], proxy: null },
  {
    title: 'version 1, unknown with addresses',
    raw: `PROXY UNKNOWN a b c d\r\n${get()}`,
    options: v1,
    requests: [{}],
    proxy: null,
  },
  { title: 'version 2, IPv4', raw: `${V2}\x21\x11${IPV4}${get()}`, options: v2, requests: [{}], proxy: '1.2.3.4:4096' },
  {
    title: 'version 2, with a TLV',
    raw: `${V2}\x21\x11\x00\x10${IPV4.slice(2)}\x04\x00\x01\x00${get()}`,
    options: v2,
    requests: [{}],
    proxy: '1.2.3.4:4096',
  },
  {
    title: 'version 2, IPv6',
    raw: `${V2}\x21\x21\x00\x24\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01${'\0'.repeat(15)}\x01\x10\x00\x00\x50${get()}`,
    options: v2,
    requests: [{}],
    proxy: '2001:db8::1:4096',
  },
  {
    title: 'version 2, IPv4 as IPv6',
    raw: `${V2}\x21\x21\x00\x24${'\0'.repeat(10)}\xff\xff\x01\x02\x03\x04${'\0'.repeat(16)}\x10\x00\x00\x50${get()}`,
    options: v2,
    requests: [{}],
    proxy: '::ffff:1.2.3.4:4096',
  },
  { title: 'version 2, LOCAL', raw: `${V2}\x20\x11${IPV4}${get()}`, options: auto, requests: [{}], proxy: null },
  { title: 'version 2, AF_UNSPEC', raw: `${V2}\x21\x00\x00\x00${get()}`, options: v2, requests: [{}], proxy: null },
  {
    title: 'version 2, AF_UNIX',
    raw: `${V2}\x21\x31\x00\xd8${'\0'.repeat(216)}${get()}`,
    options: v2,
    requests: [{}],
    proxy: null,
  },
  {
    title: 'neither, where neither is demanded',
    raw: `\r\n${get('', 'PUT / HTTP/1.1')}`,
    options: auto,
    requests: [{ method: 'PUT' }],
  },
  {
    title: 'only on the first request',
    raw: `${get()}PROXY UNKNOWN\r\n${get()}`,
    options: auto,
    requests: [{}],
    error: 'REQUEST_LINE_MALFORMED',
  },
  {
    title: 'version 1 where version 2 is demanded',
    raw: `PROXY UNKNOWN\r\n${get()}`,
    options: v2,
    error: 'PROXY_HEADER_MISSING',
  },
  {
    title: 'version 2 where version 1 is demanded',
    raw: `${V2}\x21\x11${IPV4}${get()}`,
    options: v1,
    error: 'PROXY_HEADER_MISSING',
  },
  { title: 'none where version 1 is demanded', raw: get(), options: v1, error: 'PROXY_HEADER_MISSING' },
  line('PROXY \r\n'),
  line('PROXY TCP4\r\n'),
  line('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n'),
  line('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r'),
  line('PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n'),
  line('PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n'),
  line('PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n'),
  line('PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n'),
  line('PROXY TCP4 ::1 ::1 1 2\r\n'),
  line('PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n'),
  line('PROXY TCP6 1::2::3 ::1 1 2\r\n'),
  line('PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n'),
  line('PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n'),
  line('PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n'),
  line(`PROXY UNKNOWN ${'a'.repeat(100)}\r\n`),
  line(`PROXY UNKNOWN ${'a'.repeat(91)}\0\r\n`),
  header(`\x11\x11${IPV4}`),
  header(`\x22\x11${IPV4}`),
  header(`\x21\x41${IPV4}`),
  header(`\x21\x13${IPV4}`),
  header('\x21\x11\x00\x0b'),
  header('\x21\x21\x00\x0c'),
  header('\x21\x31\x00\x0c'),
  {
    title: 'a header that ends too early is incomplete',
    raw: `${V2}\x21\x11\x00\x0c\x01`,
    options: v2,
    error: 'REQUEST_INCOMPLETE',
  },
]

/** As HAProxy 2.6 sends it with `proxy-v2-options crc32c`, and with `crc32c,unique-id`. */
const SUMMED = `${V2}\x21\x11\x00\x13\x7f\0\0\x01\x7f\0\0\x01\x8c\xf6\x49\xf5\x03\0\x04\x9b\x92\x48\x50`
const NAMED = `${V2}\x21\x11\x00\x1e\x7f\0\0\x01\x7f\0\0\x01\x84\x7a\x49\xf3\x03\0\x04\xf3\x9c\x30\xa8\x05\0\x087F000001`
const summed = (title: string, raw: string, proxy: string | null): OwnCase => ({
  title: `version 2, ${title}`,
  raw: raw + get(),
  options: v2,
  requests: [{}],
  proxy,
})
const broken = (title: string, raw: string): OwnCase => ({
  title: `version 2, ${title}, is 400`,
  raw: raw + get(),
  options: v2,
  error: 'PROXY_HEADER_INVALID',
})
const changed = (raw: string, at: number): string =>
  raw.slice(0, at) + String.fromCharCode(raw.charCodeAt(at) ^ 1) + raw.slice(at + 1)

export const PROXY_TLVS: readonly OwnCase[] = [
  summed('a right checksum', SUMMED, '127.0.0.1:36086'),
  summed('a right checksum with another TLV behind it', NAMED, '127.0.0.1:33914'),
  broken('a checksum that is wrong', changed(SUMMED, SUMMED.length - 1)),
  broken('a checksum over other addresses', changed(SUMMED, 16)),
  broken('a checksum over another port', changed(SUMMED, 25)),
  broken('a checksum over another TLV', changed(NAMED, NAMED.length - 1)),
  broken('a checksum that is too short', `${V2}\x21\x11\x00\x12${IPV4.slice(2)}\x03\0\x03\0\0\0`),
  broken('a second checksum, which is wrong', `${SUMMED.replace('\x13', '\x1a')}\x03\0\x04\0\0\0\0`),
  broken('a TLV that is longer than the header', `${V2}\x21\x11\x00\x10${IPV4.slice(2)}\x04\0\x02\0`),
  broken('a TLV without its length', `${V2}\x21\x11\x00\x0e${IPV4.slice(2)}\x04\0`),
  summed('what LOCAL brings is skipped', `${V2}\x20\x11\x00\x05\x03\0\x04\0\0`, null),
  summed('what AF_UNSPEC brings is skipped', `${V2}\x21\x00\x00\x05\x03\0\x04\0\0`, null),
]

const scheme = { secureSchemeHeaders: SECURE_SCHEME_HEADERS }

export const SCHEMES: readonly OwnCase[] = [
  { title: 'no scheme field names none', raw: get(), options: scheme, requests: [{ scheme: null }] },
  { title: 'https', raw: get('x-forwarded-proto: https\r\n'), options: scheme, requests: [{ scheme: 'https' }] },
  { title: 'http', raw: get('X-Forwarded-Proto: http\r\n'), options: scheme, requests: [{ scheme: 'http' }] },
  {
    title: 'fields that agree',
    raw: get('X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n'),
    options: scheme,
    requests: [{ scheme: 'https' }],
  },
  {
    title: 'fields that contradict each other are 400',
    raw: get('X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n'),
    options: scheme,
    error: 'SCHEME_HEADERS_CONFLICT',
  },
  {
    title: 'a repeated field that contradicts itself is 400',
    raw: get('X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n'),
    options: scheme,
    error: 'SCHEME_HEADERS_CONFLICT',
  },
  {
    title: 'they say nothing where they are not configured',
    raw: get('X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n'),
    requests: [{ scheme: null }],
  },
]
