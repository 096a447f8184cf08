import { systemAccounts } from '../../lib/system/accounts.ts'
import { resolveIdentity } from '../../lib/system/identity.ts'
import { temporaryFolder } from '../support/folder.ts'

const etc = temporaryFolder({
  passwd: 'root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken:x:y:z\nwww:x:33:34:web:/var/www:\n700:x:800:801::/h:\n',
  group: 'root:x:0:\nwww:x:34:\nssl:x:35:www,mail\nadm:x:36:mail,www\nmail:x:37:mail\n',
})
const asked: string[] = []
const directory: Record<string, string> = {
  'getent passwd -- ldapuser': 'ldapuser:*:5000:5001:L:/home/l:/bin/sh\n',
  'getent group -- ldapgroup': 'ldapgroup:*:5100:a,b\n',
  'id -G -- ldapuser': '5001 5100 36\n',
}
const ask = (tool: string, args: readonly string[]): string => {
  const question = [tool, ...args].join(' ')
  asked.push(question)
  return directory[question] ?? ''
}
const accounts = systemAccounts(etc, ask)
const root = { uid: 0, gid: 0 }

test('Nothing set is no change.', () => {
  expect(resolveIdentity({}, root, accounts)).toBeNull()
  expect(resolveIdentity({ user: null, group: null }, root, accounts)).toBeNull()
})

test('A user comes with its own group and the groups that list it, without asking anybody.', () => {
  asked.length = 0
  const identity = resolveIdentity({ user: 'www' }, root, accounts)
  expect(identity).toEqual({
    uid: 33,
    gid: 34,
    groups: [34, 35, 36],
    user: { name: 'www', uid: 33, gid: 34, home: '/var/www' },
  })
  expect(asked).toEqual([])
})

test('A number is the same user, and a group takes the place of the own one.', () => {
  expect(resolveIdentity({ user: 33 }, root, accounts)).toMatchObject({ uid: 33, gid: 34, groups: [34, 35, 36] })
  expect(resolveIdentity({ user: '33', group: 'ssl' }, root, accounts)).toMatchObject({ gid: 35, groups: [35, 36] })
})

test('A name wins over a number.', () => {
  expect(resolveIdentity({ user: '700' }, root, accounts)).toMatchObject({ uid: 800, gid: 801 })
})

test('A user that no file knows is looked for in the directory services.', () => {
  const identity = resolveIdentity({ user: 'ldapuser', group: 'ldapgroup' }, root, accounts)
  expect(identity).toMatchObject({ uid: 5000, gid: 5100, groups: [5100, 36] })
})

test('A bare number needs a group, and has no others.', () => {
  expect(() => resolveIdentity({ user: 12345 }, root, accounts)).toThrow(
    'user: 12345 has no entry on this machine, so it has no group: set group too',
  )
  const identity = resolveIdentity({ user: 12345, group: 12346 }, root, accounts)
  expect(identity).toEqual({ uid: 12345, gid: 12346, groups: [12346], user: null })
})

test('A group alone keeps the user.', () => {
  expect(resolveIdentity({ group: 'www' }, root, accounts)).toMatchObject({ uid: 0, gid: 34, groups: [34] })
})

test.each([
  [{ user: 'nobody-here' }, 'user: there is no user "nobody-here" on this machine'],
  [{ group: 'nobody-here' }, 'group: there is no group "nobody-here" on this machine'],
  [{ user: '-1' }, 'user: there is no user "-1"'],
  [{ user: 4294967295, group: 1 }, 'user: there is no user 4294967295'],
  [{ user: 33, group: '99999999999' }, 'group: there is no group "99999999999"'],
])('%j is an error that names the setting and the value.', (settings, message) => {
  expect(() => resolveIdentity(settings, root, accounts)).toThrow(message)
})

test('Without privileges only what one is already can be set.', () => {
  const www = { uid: 33, gid: 34 }
  expect(resolveIdentity({ user: 'www', group: 'www' }, www, accounts)).toBeNull()
  expect(() => resolveIdentity({ user: 'root' }, www, accounts)).toThrow(
    'user: root needs the service to be started as root, not as user 33',
  )
  expect(() => resolveIdentity({ group: 'ssl' }, www, accounts)).toThrow('group: ssl needs the service')
})

test('This machine has a root.', () => {
  expect(systemAccounts().user('root')).toMatchObject({ uid: 0, gid: 0 })
  expect(systemAccounts().group('0')).toMatchObject({ gid: 0 })
})
