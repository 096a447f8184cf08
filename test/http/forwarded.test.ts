import { isIP, isIPv4, isIPv6 } from 'node:net'
import { formatAddress, parseAddress } from '../../lib/http/proxy/address.ts'
import { trust } from '../../lib/http/proxy/forwarded.ts'
import { Random } from '../support/random.ts'

test('an address in the list is trusted, another is not', () => {
  const trusted = trust(['127.0.0.1', '::1'])
  expect(['127.0.0.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'].map(trusted)).toEqual([true, true, true, true])
  expect(['127.0.0.2', '::2', '', 'localhost', '127.0.0.1.'].map(trusted)).toEqual([false, false, false, false, false])
})

test('networks match by their bits in both families', () => {
  const trusted = trust(['10.0.0.0/8', '192.168.4.0/22', '2001:db8::/33', 'fd00::/8', '203.0.113.7/32'])
  const inside = ['10.255.0.1', '192.168.7.255', '2001:db8:7fff::', 'fdff::1', '203.0.113.7', '::ffff:10.0.0.1']
  const outside = ['11.0.0.0', '192.168.8.0', '192.168.3.255', '2001:db8:8000::', 'fe00::', '203.0.113.6', '::10.0.0.1']
  expect(inside.filter((address) => !trusted(address))).toEqual([])
  expect(outside.filter(trusted)).toEqual([])
})

test('a network of no bits is its whole family, a mapped one is IPv4', () => {
  expect(['1.2.3.4', '255.0.0.0', '::1'].map(trust(['0.0.0.0/0']))).toEqual([true, true, false])
  expect(['1.2.3.4', '::1'].map(trust(['::/0']))).toEqual([false, true])
  expect(['10.1.0.0', '11.0.0.0'].map(trust(['::ffff:10.0.0.0/104']))).toEqual([true, false])
})

test('a star is everyone, a UNIX socket always is, and nobody else is without entries', () => {
  expect(trust(['127.0.0.1', '*'])('203.0.113.9')).toBe(true)
  expect(trust([])(null)).toBe(true)
  expect(trust([])('127.0.0.1')).toBe(false)
})

test('a zone does not hide an address', () => {
  expect(trust(['fe80::/10'])('fe80::1%eth0')).toBe(true)
})

test('more peers than are remembered are answered as the first ones', () => {
  const trusted = trust(['10.0.0.0/8'])
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 3000; index++) {
      const rest = `${index >> 8}.${index & 255}.1`
      expect(trusted(`10.${rest}`)).toBe(true)
      expect(trusted(`11.${rest}`)).toBe(false)
    }
  }
})

test.each([
  '',
  'localhost',
  '10.0.0.0/33',
  '::/129',
  '10.0.0/8',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '01.2.3.4',
  '**',
])('an entry %j is an error that names it', (entry) => {
  expect(() => trust([entry])).toThrow(JSON.stringify(entry))
})

test('addresses are what Node takes for addresses, and survive being written out', () => {
  const random = new Random(3)
  const parts = ['0', '1', 'ff', 'FFFF', '12345', 'g', ':', '::', ':', '.', '1.2.3.4', '255', '256', '00', '']
  let valid = 0
  for (let round = 0; round < 200_000; round++) {
    const text = Array.from({ length: 1 + random.below(16) }, () => random.pick(parts)).join(
      random.pick(['', ':', '.']),
    )
    const bytes = parseAddress(text)
    if ((bytes !== null) !== (isIP(text) !== 0)) throw new Error(`${text} is ${isIP(text)} for Node`)
    if (bytes === null) continue
    valid++
    expect(bytes).toHaveLength(isIPv4(text) ? 4 : 16)
    expect(parseAddress(formatAddress(bytes))).toEqual(bytes)
    const mapped = formatAddress(bytes).startsWith('::ffff:') && formatAddress(bytes).includes('.')
    if (isIPv6(text) && !mapped) expect(new URL(`http://[${text}]`).hostname).toBe(`[${formatAddress(bytes)}]`)
  }
  expect(valid).toBeGreaterThan(500)
})
