import { decodeForkAnswer, encodeForkRequest } from '../../lib/channel/fork.ts'

const decode = (text: string) => decodeForkAnswer(Buffer.from(text))

describe('a fork request', () => {
  it('is its number and then the order as it is', () => {
    expect([...encodeForkRequest(0xfedcba98, Buffer.from('ab'))]).toEqual([0x98, 0xba, 0xdc, 0xfe, 97, 98])
    expect([...encodeForkRequest(1, Buffer.alloc(0))]).toEqual([1, 0, 0, 0])
  })
})

describe('a fork answer', () => {
  it('names the child, or why there is none', () => {
    expect(decode('{"request":7,"pid":123}')).toEqual({ kind: 'forked', request: 7, pid: 123 })
    expect(decode('{"request":7,"code":"EAGAIN","errno":-11}')).toEqual({ kind: 'failed', request: 7, code: 'EAGAIN' })
  })

  it('is nothing where it is not well-formed', () => {
    const malformed = ['', '{', '7', 'null', '[]', '{}', '{"request":1}', '{"pid":5}', '{"request":-1,"pid":5}']
    const impossible = [
      '{"request":1,"pid":1}',
      '{"request":1,"pid":-5}',
      '{"request":1,"pid":"5"}',
      '{"request":1.5,"pid":5}',
    ]
    for (const text of [...malformed, ...impossible]) expect(decode(text)).toBeNull()
  })
})
