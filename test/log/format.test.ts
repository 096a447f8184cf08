import type { LogEvent } from '../../lib/log/format.ts'
import { formatEvent, isWritten } from '../../lib/log/format.ts'

const event: LogEvent = {
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  level: 'info',
  role: 'arbiter',
  pid: 4711,
  message: 'worker ready',
}

test('Text has time, level, role, pid, message and the fields on one line.', () => {
  const fields = { slot: 0, pid: 4712, listener: '127.0.0.1:8000', first: true, left: undefined, code: null }
  expect(formatEvent({ ...event, fields }, 'text')).toBe(
    '2026-01-02T03:04:05.678Z info     arbiter[4711] worker ready slot=0 pid=4712 listener=127.0.0.1:8000 first=true code=-\n',
  )
})

test('JSON keeps the fields apart, so that the pid of the event is not taken for that of the writer.', () => {
  const line = formatEvent({ ...event, fields: { slot: 0, pid: 4712, left: undefined, code: null } }, 'json')
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(JSON.parse(line)).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    level: 'info',
    role: 'arbiter',
    pid: 4711,
    message: 'worker ready',
    fields: { slot: 0, pid: 4712, code: null },
  })
})

test.each([
  ['plain', 'x=plain'],
  ['', 'x=""'],
  ['-', 'x="-"'],
  ['two words', 'x="two words"'],
  ['a=b', 'x="a=b"'],
  ['say "no"', 'x="say \\"no\\""'],
  ['back\\slash', 'x="back\\\\slash"'],
  ['line\nline\r\n', 'x="line\\nline\\r\\n"'],
  ['\u001b[2J', 'x="\\x1b[2J"'],
  ['\u0085\u009b', 'x="\\x85\\x9b"'],
  ['a\u2028b', 'x="a\\u2028b"'],
  ['a\u202eb', 'x="a\\u202eb"'],
  ['grün', 'x=grün'],
  [[1, 'b c'], 'x="1,b c"'],
] as const)('The value %j is written as %s.', (x, expected) => {
  expect(formatEvent({ ...event, fields: { x } }, 'text')).toContain(` ${expected}\n`)
})

test('No character of a message, a field or details can start a line of its own or reach the terminal.', () => {
  const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join('')
  const hostile: LogEvent = { ...event, message: all, fields: { x: all } }
  for (const format of ['text', 'json'] as const) {
    const line = formatEvent(hostile, format)
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
  }
  expect(JSON.parse(formatEvent(hostile, 'json')).message).toBe(all)
})

test('Details follow in indented lines, in JSON as one string.', () => {
  const details = 'Error: no\n\tat app.js:1\n\u001b[2J\n'
  expect(
    formatEvent({ ...event, details }, 'text')
      .split('\n')
      .slice(1),
  ).toEqual(['    Error: no', '        at app.js:1', '    \\x1b[2J', ''])
  expect(JSON.parse(formatEvent({ ...event, details }, 'json')).details).toBe(details)
})

test('A level is written by a log of that level and of every less important one.', () => {
  expect(isWritten('info', 'info')).toBe(true)
  expect(isWritten('critical', 'warning')).toBe(true)
  expect(isWritten('debug', 'info')).toBe(false)
})
