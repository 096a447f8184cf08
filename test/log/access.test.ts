import type { AccessRecord } from '../../lib/log/access.ts'
import { accessFormatter } from '../../lib/log/access.ts'
import { commonLogTime } from '../../lib/log/access-time.ts'

const DEFAULT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'

function record(change: Partial<AccessRecord> = {}, headers: Record<string, string> = {}): AccessRecord {
  return {
    time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    zone: 60,
    pid: 4712,
    remote: '192.0.2.7',
    user: '',
    method: 'GET',
    target: '/orders?page=2&q=a%20b',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 1234,
    duration: 1234.5678,
    aborted: false,
    requestHeader: (name) => headers[name],
    responseHeader: (name) => ({ 'content-type': 'text/plain' })[name],
    variable: (name) => ({ TENANT: 'a' })[name],
    ...change,
  }
}

const line = (format: string, change: Partial<AccessRecord> = {}, headers: Record<string, string> = {}): string =>
  accessFormatter(format)(record(change, headers))

test("gunicorn's own format makes the combined log format.", () => {
  expect(line(DEFAULT, { user: 'ann' }, { referer: 'http://a/', 'user-agent': 'curl/8' })).toBe(
    '192.0.2.7 - ann [02/Jan/2026:04:04:05 +0100] "GET /orders?page=2&q=a%20b HTTP/1.1" 200 1234 "http://a/" "curl/8"\n',
  )
  expect(line(DEFAULT, { remote: '', bytes: 0, status: 304 })).toBe(
    '- - - [02/Jan/2026:04:04:05 +0100] "GET /orders?page=2&q=a%20b HTTP/1.1" 304 - "-" "-"\n',
  )
})

test.each([
  ['%(m)s', 'GET'],
  ['%(U)s', '/orders'],
  ['%(q)s', 'page=2&q=a%20b'],
  ['%(H)s', 'HTTP/1.1'],
  ['%(s)d', '200'],
  ['%(B)s', '1234'],
  ['%(T)s', '1'],
  ['%(M)s', '1234'],
  ['%(D)s', '1234568'],
  ['%(L)s', '1.234568'],
  ['%(p)s', '<4712>'],
  ['%({X-Request-ID}i)s', 'abc'],
  ['%({x-missing}i)s', '-'],
  ['%({Content-Type}o)s', 'text/plain'],
  ['%({set-cookie}o)s', '-'],
  ['%({TENANT}e)s', 'a'],
  ['%({tenant}e)s', '-'],
  ['100%% of %(s)s%%', '100% of 200%'],
  ['', ''],
])('The format %s gives %s.', (format, expected) => {
  expect(line(format, {}, { 'x-request-id': 'abc' })).toBe(`${expected}\n`)
})

test.each([
  ['%(z)s', 'a format without %(z)s, which is no atom; there are h, l, u, t, r, s,'],
  ['%(constructor)s', 'a format without %(constructor)s'],
  ['%({}i)s', 'a format without %({}i)s'],
  ['%({a}x)s', 'a format without %({a}x)s'],
  ['%h', 'a format with atoms such as %(h)s and with %% for a percent sign'],
  ['%(h)', 'a format with atoms such as %(h)s'],
  ['50% %(h)s', 'a format with atoms such as %(h)s'],
])('The format %s is refused.', (format, message) => {
  expect(() => accessFormatter(format)).toThrow(message)
})

test('A client can neither end a field nor a line nor speak to a terminal.', () => {
  const agent = 'x" 200 "\\\u001b[2J\n192.0.2.8 - -'
  const hostile = line(DEFAULT, { target: '/\u0085\u202e"' }, { 'user-agent': agent })
  expect(hostile).toContain('"GET /\\x85\\u202e\\" HTTP/1.1"')
  expect(hostile).toContain('"x\\" 200 \\"\\\\\\x1b[2J\\n192.0.2.8 - -"\n')
  expect(hostile.indexOf('\n')).toBe(hostile.length - 1)
})

test('JSON has all of it on one line, with null for what is not known.', () => {
  const json = line('json', { aborted: true }, { 'user-agent': 'a\u2028\u0085' })
  expect(json.indexOf('\n')).toBe(json.length - 1)
  expect(json).not.toMatch(/[\u0080-\u009f\u2028]/)
  expect(JSON.parse(json)).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    pid: 4712,
    remote: '192.0.2.7',
    user: null,
    method: 'GET',
    path: '/orders',
    query: 'page=2&q=a%20b',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 1234,
    durationMs: 1234.568,
    referer: null,
    userAgent: 'a\u2028\u0085',
    aborted: true,
  })
})

test('The time is local, with its distance to UTC, across midnight and the new year.', () => {
  const time = Date.UTC(2025, 11, 31, 23, 59, 59, 999)
  expect(commonLogTime(time, 0)).toBe('[31/Dec/2025:23:59:59 +0000]')
  expect(commonLogTime(time + 1, 0)).toBe('[01/Jan/2026:00:00:00 +0000]')
  expect(commonLogTime(time, 345)).toBe('[01/Jan/2026:05:44:59 +0545]')
  expect(commonLogTime(time, -150)).toBe('[31/Dec/2025:21:29:59 -0230]')
})
