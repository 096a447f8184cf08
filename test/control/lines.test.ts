import { LINE_LIMIT, type Line, lineReader } from '../../lib/control/lines.ts'

const shown = (lines: readonly Line[]): string[] =>
  lines.map((line) => (line.kind === 'line' ? line.bytes.toString() : line.kind))

describe('the lines of a control connection', () => {
  it('are the same whole, a byte at a time and cut anywhere', () => {
    const bytes = Buffer.from('{"cmd":"a"}\n\n{"cmd":"ä"}\nrest')
    const whole = lineReader()
    const expected = [...shown(whole.push(bytes)), ...shown(whole.end())]
    expect(expected).toEqual(['{"cmd":"a"}', '', '{"cmd":"ä"}', 'rest'])
    for (let size = 1; size < bytes.length; size++) {
      const reader = lineReader()
      const found: string[] = []
      for (let at = 0; at < bytes.length; at += size) found.push(...shown(reader.push(bytes.subarray(at, at + size))))
      expect([...found, ...shown(reader.end())]).toEqual(expected)
    }
  })

  it('may have as many bytes as the limit says, and not one more', () => {
    const reader = lineReader()
    expect(reader.push(Buffer.from(`${'x'.repeat(LINE_LIMIT)}\n`))[0]).toMatchObject({ kind: 'line' })
    expect(shown(reader.push(Buffer.from(`${'x'.repeat(LINE_LIMIT + 1)}\nnext\n`)))).toEqual(['tooLong', 'next'])
  })

  it('that are too long are not kept', () => {
    const reader = lineReader(10)
    for (let n = 0; n < 100; n++) {
      expect(reader.push(Buffer.from('xxxxxxx'))).toEqual([])
      expect(reader.held).toBeLessThanOrEqual(10)
    }
    expect(shown(reader.push(Buffer.from('\na\n')))).toEqual(['tooLong', 'a'])
  })

  it('that are too long are told at the end of the stream too', () => {
    const reader = lineReader(4)
    reader.push(Buffer.from('xxxxxxx'))
    expect(shown(reader.end())).toEqual(['tooLong'])
    expect(reader.end()).toEqual([])
  })
})
