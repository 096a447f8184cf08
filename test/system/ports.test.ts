import { firstUnprivilegedPort } from '../../lib/system/ports.ts'
import { temporaryFolder } from '../support/folder.ts'

const FILE = 'sys/net/ipv4/ip_unprivileged_port_start'

test.each([
  ['0\n', 0],
  ['80\n', 80],
  ['nonsense', 1024],
])('where the network namespace says %j the first port for everybody is %d', (text, port) => {
  expect(firstUnprivilegedPort(temporaryFolder({ [FILE]: text }))).toBe(port)
})

test('where nothing is said it is 1024', () => {
  expect(firstUnprivilegedPort(temporaryFolder())).toBe(1024)
})
