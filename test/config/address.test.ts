import { type BindAddress, formatAddress, parseAddress } from '../../lib/config/address.ts'

const tcp = (host: string, port: number): BindAddress => ({ kind: 'tcp', host, port })

describe('an address', () => {
  test.each<[string, BindAddress]>([
    ['127.0.0.1:8000', tcp('127.0.0.1', 8000)],
    ['localhost:80', tcp('localhost', 80)],
    ['my_host-1.example.org:65535', tcp('my_host-1.example.org', 65535)],
    [':8000', tcp('0.0.0.0', 8000)],
    ['8000', tcp('0.0.0.0', 8000)],
    ['localhost:0', tcp('localhost', 0)],
    ['[::1]:8000', tcp('::1', 8000)],
    ['[::]:8000', tcp('::', 8000)],
    ['[fe80::1%eth0]:8000', tcp('fe80::1%eth0', 8000)],
    ['unix:/run/web.sock', { kind: 'unix', path: '/run/web.sock' }],
    ['unix:///run/web.sock', { kind: 'unix', path: '/run/web.sock' }],
    ['unix:run/a:b.sock', { kind: 'unix', path: 'run/a:b.sock' }],
    ['fd://3', { kind: 'fd', fd: 3 }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })

  test.each(
    [
      [
        '',
        'localhost',
        'localhost:',
        'localhost:http',
        'localhost:65536',
        'localhost:-1',
        '::1:8000',
        '[::1]',
        '[]:80',
      ],
      ['[127.0.0.1]:80', '1.2.3:80', '1.2.3.4.5:80', '999.0.0.1:80', '-a:80', 'a..b:80', 'a b:80', 'a/b:80', ' :80'],
      ['unix:', 'unix://', 'unix:a\0b', 'fd://', 'fd://x', 'fd://2', 'fd://-1', 'http://localhost:80', '80:80:80'],
    ].flat(),
  )('does not read %j', (text) => {
    expect(parseAddress(text)).toBeNull()
  })

  test.each(['127.0.0.1:8000', '[::1]:8000', 'unix:/run/web.sock', 'fd://7'])(
    '%s is written as it was read',
    (text) => {
      expect(formatAddress(parseAddress(text)!)).toBe(text)
    },
  )
})
