import { isAbsolute } from 'node:path'
import { appName } from '../../lib/config/app.ts'
import { argument, choice, matching, optional, refusable, text, toggle } from '../../lib/config/codecs/basic.ts'
import { environment, list, map } from '../../lib/config/codecs/collections.ts'
import { address, addresses, collector, peers } from '../../lib/config/codecs/network.ts'
import { controlSocket, logFile, path, socketPath } from '../../lib/config/codecs/paths.ts'
import { account, limits, signal } from '../../lib/config/codecs/process.ts'
import { Foreign } from '../../lib/config/foreign.ts'
import { BASE, judge, judgeText, refusal } from './judge.ts'

test('a switch is true or false and nothing like it', () => {
  expect([judge(toggle, true), judge(toggle, false), judgeText(toggle, 'true'), judgeText(toggle, 'false')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  for (const wrong of [0, 1, 'yes', 'true', '', null]) expect(refusal(toggle, wrong)).toMatch(/allowed: true or false$/)
})

test('a text is not empty and one line; an argument may be both', () => {
  for (const wrong of ['', 'a\nb', 'a\0b', 3, null]) expect(refusal(text('X'), wrong)).toMatch(/allowed: a text$/)
  expect([judge(argument, ''), judge(argument, 'a\nb')]).toEqual(['', 'a\nb'])
  expect(refusal(argument, 'a\0b')).toMatch(/without NUL/)
})

test('a choice names its words', () => {
  expect(judge(choice('one', 'two', 'three'), 'two')).toBe('two')
  expect(refusal(choice('one', 'two', 'three'), 'four')).toBe('x: got "four"; allowed: "one", "two" or "three"')
})

test('what is optional may be null, and an empty flag means so', () => {
  const codec = optional(path)
  expect([judge(codec, null), judgeText(codec, ''), judge(codec, 'a')]).toEqual([null, null, '/base/a'])
  expect(refusal(codec, 3)).toMatch(/a path/)
})

test('what is refusable may be false', () => {
  const codec = refusable(matching(/^[A-Z]+$/, 'NAME', 'capitals'))
  expect([judge(codec, false), judge(codec, 'ABC')]).toEqual([false, 'ABC'])
  expect(refusal(codec, 'abc')).toBe('x: got "abc"; allowed: capitals, or false')
})

test('a relative path starts at the base', () => {
  expect([judge(path, 'a/b'), judge(path, '/a'), judge(path, '../a'), judge(path, '.')]).toEqual([
    '/base/a/b',
    '/a',
    '/a',
    BASE,
  ])
  expect([judge(logFile, '-'), judge(logFile, 'a.log')]).toEqual(['-', '/base/a.log'])
})

test('a path of a socket has at most 100 bytes, counted when it is absolute', () => {
  const longest = 'é'.repeat((100 - '/base/'.length) / 2)
  expect(isAbsolute(judge(socketPath, longest) as string)).toBe(true)
  expect(refusal(socketPath, `${longest}aa`)).toMatch(/at most 100 bytes/)
  expect(refusal(address, `unix:${longest}aa`)).toMatch(/at most 100 bytes/)
  expect([judge(controlSocket, null), judge(controlSocket, false), judge(controlSocket, 'c')]).toEqual([
    null,
    false,
    '/base/c',
  ])
})

describe('a list', () => {
  const codec = list(choice('a', 'b'), { separator: /,/ })

  test('may be one element without brackets', () => {
    expect([judge(codec, 'a'), judge(codec, ['a', 'b']), judge(codec, []), judgeText(codec, 'a,b,')]).toEqual([
      ['a'],
      ['a', 'b'],
      [],
      ['a', 'b'],
    ])
  })

  test('says of every element that is wrong which one it is', () => {
    expect(judge(codec, ['a', 'c', 'b', 4])).toEqual([
      'x[1]: got "c"; allowed: "a" or "b"',
      'x[3]: got 4; allowed: "a" or "b"',
    ])
  })
})

describe('a map', () => {
  test('is names and texts', () => {
    const codec = map(/^[A-Z]+$/, 'capitals')
    expect([judge(codec, { A: '1' }), judgeText(codec, 'A=b=c'), judgeText(codec, 'A=')]).toEqual([
      { A: '1' },
      { A: 'b=c' },
      { A: '' },
    ])
    expect(judge(codec, { A: 1, b: 'x' })).toEqual([
      'x.A: got 1; allowed: a text without NUL',
      'x: got "b"; allowed: names that are capitals',
    ])
    for (const wrong of ['A', '=1', null, [], new Date(), new Foreign('a Date')])
      expect(refusal(codec, wrong)).toMatch(/allowed: names and texts/)
  })

  test('of environment variables never shows a value', () => {
    expect(judge(environment, { TOKEN: 12345 })).toEqual([
      'x.TOKEN: got a value that is not shown; allowed: a text without NUL',
    ])
    expect(JSON.stringify(judgeText(environment, 'TOKEN12345'))).not.toContain('12345')
    expect(environment.hide?.({ TOKEN: '12345' })).toEqual({ TOKEN: '(hidden)' })
  })
})

describe('addresses to serve on', () => {
  test('are several, with commas or as a list', () => {
    const expected = [
      { kind: 'tcp', host: '0.0.0.0', port: 80 },
      { kind: 'unix', path: '/base/a.sock' },
    ]
    expect(judgeText(addresses, ':80, unix:a.sock')).toEqual(expected)
    expect(judge(addresses, [80, 'unix:a.sock'])).toEqual(expected)
  })

  test('are each there once, but for ports that the kernel chooses', () => {
    expect(refusal(addresses, [':80', '0.0.0.0:80'])).toMatch(/each address once, and 0.0.0.0:80 is there twice$/)
    expect(judge(addresses, ['localhost:0', 'localhost:0'])).toHaveLength(2)
  })

  test('leave IPv4 to its own address where both families are bound', () => {
    expect(judge(addresses, ['[::]:80', ':80'])).toEqual([
      { kind: 'tcp', host: '::', port: 80, v6only: true },
      { kind: 'tcp', host: '0.0.0.0', port: 80 },
    ])
    expect(judge(addresses, ['[::]:80', ':81'])).toContainEqual({ kind: 'tcp', host: '::', port: 80 })
  })
})

test('peers are addresses, networks or everybody', () => {
  const all = ['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8', '*']
  expect([judge(peers, all), judgeText(peers, all.join(', '))]).toEqual([all, all])
  for (const wrong of [
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    '',
    3,
  ]) {
    expect(refusal(peers, [wrong])).toMatch(/^x\[0\]: .*an IP address, a network/)
  }
})

test('a collector is udp, tcp or a UNIX socket, and written as it is read', () => {
  for (const same of ['udp://localhost:514', 'tcp://[::1]:601', 'unix:///dev/log']) {
    expect(collector.format(judge(collector, same) as never)).toBe(same)
  }
  expect(judge(collector, 'localhost:8125')).toEqual({ kind: 'udp', host: 'localhost', port: 8125 })
  for (const wrong of ['', 'localhost', 'http://a:1', 'fd://3', 'udp://unix:/a', 'udp://', 3])
    expect(refusal(collector, wrong)).toMatch(/allowed: "udp:/)
})

test('a user is a name or a number', () => {
  const codec = account('user')
  expect([judge(codec, 'www-data'), judge(codec, 33), judgeText(codec, '33'), judge(codec, 0)]).toEqual([
    'www-data',
    33,
    33,
    0,
  ])
  for (const wrong of ['', '-x', 'a:b', 'a b', -1, 1.5, 2 ** 32 - 1, null])
    expect(refusal(codec, wrong)).toMatch(/a user's name or number/)
})

test('a signal has a name, with or without SIG', () => {
  expect(['SIGTERM', 'TERM', 'term', 'sigusr1'].map((name) => judge(signal, name))).toEqual([
    'SIGTERM',
    'SIGTERM',
    'SIGTERM',
    'SIGUSR1',
  ])
  for (const wrong of ['FOO', '', 15, 'toString', 'SIGSIGTERM', null])
    expect(refusal(signal, wrong)).toMatch(/a signal by name/)
})

test('a limit is one number, or a soft one that is not above the hard one', () => {
  expect(judge(limits, { NOFILE: 4096, CORE: { soft: 0, hard: 'unlimited' } })).toEqual([
    { resource: 'NOFILE', soft: 4096, hard: 4096 },
    { resource: 'CORE', soft: 0, hard: null },
  ])
  expect(refusal(limits, { CORE: { soft: 'unlimited', hard: 5 } })).toMatch(/not above the hard one/)
  expect(refusal(limits, { NOFILES: 1 })).toMatch(/one of AS, CORE/)
  expect(refusal(limits, { CORE: { soft: 1, hard: -1 } })).toMatch(/^x.CORE.hard: got -1/)
})

test('an app is a file, and perhaps an export', () => {
  expect(judge(appName, 'server.js')).toEqual({ file: 'server.js', export: null })
  expect(judge(appName, './dist/a.b/server.js:createApp')).toEqual({
    file: './dist/a.b/server.js',
    export: 'createApp',
  })
  expect(judge(appName, 'a:b/server.js')).toEqual({ file: 'a:b/server.js', export: null })
  expect(judge(appName, 'app.js:$é')).toEqual({ file: 'app.js', export: '$é' })
  for (const wrong of ['', ':app', 'app.js:', 3, null, 'a\0b'])
    expect(refusal(appName, wrong)).toMatch(/"FILE" or "FILE:EXPORT"/)
})
