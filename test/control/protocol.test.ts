import { flag, integer, oneOf, optional, seconds, text } from '../../lib/control/keys.ts'
import { command, encodeLine, parseAnswer, parseRequest } from '../../lib/control/protocol.ts'

const COMMANDS = {
  status: command({}, () => ({ ok: true })),
  stop: command({ name: text('the name of a companion') }, ({ name }) => ({ ok: true, name })),
  tail: command(
    {
      name: text('a name'),
      bytes: optional(integer(0, 100)),
      follow: optional(flag),
      stream: optional(oneOf('a', 'b')),
    },
    () => ({ ok: true }),
  ),
  wait: command({ timeout: seconds(60) }, () => ({ ok: true })),
}
const parse = (line: string | Buffer, whole = true) => parseRequest(Buffer.from(line as string), COMMANDS, whole)
const error = (line: string | Buffer, whole = true): string => {
  const request = parse(line, whole)
  return request.kind === 'refused' ? request.error : `accepted: ${JSON.stringify(request.values)}`
}

describe('a request', () => {
  it('is taken with its keys', () => {
    expect(parse('{"cmd": "stop", "name": "ticker"}')).toMatchObject({
      kind: 'request',
      cmd: 'stop',
      values: { name: 'ticker' },
    })
    expect(parse(' {"cmd":"tail","name":"a","bytes":0,"follow":true,"stream":"b"}\r')).toMatchObject({
      values: { name: 'a', bytes: 0, follow: true, stream: 'b' },
    })
  })

  it.each([
    ['', 'a request must be JSON on one line'],
    ['status', 'a request must be JSON on one line'],
    ['{"cmd": "status"', 'a request must be JSON on one line'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'a request must be UTF-8'],
    ['[]', 'a request must be a JSON object, not an array'],
    ['null', 'a request must be a JSON object, not null'],
    ['"status"', 'a request must be a JSON object, not a string'],
    ['7', 'a request must be a JSON object, not a number'],
    ['{}', '"cmd" is missing: it is one of status, stop, tail, wait'],
    ['{"command": "status"}', '"cmd" is missing: it is one of status, stop, tail, wait'],
    ['{"cmd": 7}', '"cmd" must be a string, not a number'],
    ['{"cmd": null}', '"cmd" must be a string, not null'],
    ['{"cmd": ["status"]}', '"cmd" must be a string, not an array'],
    ['{"cmd": "halt"}', 'unknown command "halt": it is one of status, stop, tail, wait'],
    ['{"cmd": "constructor"}', 'unknown command "constructor": it is one of status, stop, tail, wait'],
    ['{"cmd": "__proto__"}', 'unknown command "__proto__": it is one of status, stop, tail, wait'],
    ['{"cmd": "status", "name": "a"}', 'unknown key "name": "status" takes no keys'],
    ['{"cmd": "stop", "name": "a", "force": true}', 'unknown key "force": "stop" takes name'],
    ['{"cmd": "stop", "name": "a", "__proto__": {}}', 'unknown key "__proto__": "stop" takes name'],
    ['{"cmd": "stop"}', '"name" is missing: "stop" needs it, the name of a companion'],
    ['{"cmd": "stop", "name": 7}', '"name" must be the name of a companion, not 7'],
    ['{"cmd": "stop", "name": ""}', '"name" must be the name of a companion, not ""'],
    ['{"cmd": "stop", "name": null}', '"name" must be the name of a companion, not null'],
    ['{"cmd": "tail", "name": "a", "bytes": 1.5}', '"bytes" must be a whole number from 0 to 100, not 1.5'],
    ['{"cmd": "tail", "name": "a", "bytes": 101}', '"bytes" must be a whole number from 0 to 100, not 101'],
    ['{"cmd": "tail", "name": "a", "follow": "yes"}', '"follow" must be true or false, not "yes"'],
    ['{"cmd": "tail", "name": "a", "stream": "c"}', '"stream" must be one of a, b, not "c"'],
    ['{"cmd": "wait", "timeout": -1}', '"timeout" must be a number of seconds from 0 to 60, not -1'],
  ])('%s is refused: %s', (line, expected) => {
    expect(error(line)).toBe(expected)
  })

  it('that is refused is repeated in part only, however long it is', () => {
    expect(error(`{"cmd": "${'x'.repeat(50_000)}"}`).length).toBeLessThan(200)
    expect(error(`{"cmd": "status", "${'x'.repeat(50_000)}": 1}`).length).toBeLessThan(200)
    expect(error(`{"cmd": "stop", "name": "${'x'.repeat(50_000)}"}`).length).toBeLessThan(200)
  })

  it('that is nested deeply is refused like any other', () => {
    expect(error('['.repeat(60_000))).toBe('a request must be JSON on one line')
    expect(error(`{"cmd": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`)).toBe('"cmd" must be a string, not an array')
  })

  it('that ends without a newline is taken where it is whole and nothing is done where it was cut', () => {
    expect(parse('{"cmd": "status"}', false)).toMatchObject({ kind: 'request', cmd: 'status' })
    const cut = '{"cmd": "stop", "name": "ticker"}'
    for (let at = 1; at < cut.length; at++)
      expect(error(cut.slice(0, at), false)).toBe('the connection ended in the middle of a request: nothing was done')
  })
})

describe('an answer', () => {
  it('is one line, whatever is in it', () => {
    const line = encodeLine({ ok: true, message: 'two\nlines\u2028' })
    expect(line.indexOf('\n')).toBe(line.length - 1)
    expect(parseAnswer(Buffer.from(line))).toEqual({ ok: true, message: 'two\nlines\u2028' })
  })

  it.each(['', 'x', '[]', '{}', '{"ok": 1}', '{"ok": false}', '{"ok": false, "error": 1}'])('is not %s', (line) => {
    expect(() => parseAnswer(Buffer.from(line))).toThrow(/^not an answer of monoceros/)
  })
})
