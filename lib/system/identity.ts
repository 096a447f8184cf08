/** Who workers and companions run as: the settings `user` and `group` as ids. */
import type { Accounts, User } from './accounts.ts'
import { systemAccounts } from './accounts.ts'
import { SetupError } from './setup-error.ts'

export type Identity = {
  readonly uid: number
  readonly gid: number
  /** The whole list for setgroups(2). */
  readonly groups: readonly number[]
  /** For HOME, USER and LOGNAME; null for a bare number without an entry. */
  readonly user: User | null
}

/** Who we are ourselves. */
export type Self = { readonly uid: number; readonly gid: number }

export type IdentitySettings = { readonly user?: string | number | null; readonly group?: string | number | null }

/** The largest id that is not (uid_t)-1, which means "unchanged" to setresuid(2). */
const LARGEST = 2 ** 32 - 2

/**
 * null: nothing was set, or it is what we are already. Throws a `SetupError` where a name does not exist, and where the
 * change would need a privilege that we do not have.
 */
export function resolveIdentity(
  settings: IdentitySettings,
  self: Self = { uid: process.geteuid!(), gid: process.getegid!() },
  accounts: Accounts = systemAccounts(),
): Identity | null {
  const wantedUser = settings.user ?? null
  const wantedGroup = settings.group ?? null
  if (wantedUser === null && wantedGroup === null) return null
  const user = wantedUser === null ? null : accounts.user(String(wantedUser))
  const uid = wantedUser === null ? self.uid : (user?.uid ?? bareNumber('user', wantedUser))
  const gid = wantedGroup === null ? ownGroup(user, wantedUser) : groupId(wantedGroup, accounts)
  if (uid === self.uid && gid === self.gid && self.uid !== 0) return null
  if (self.uid !== 0) {
    const setting = uid === self.uid ? `group: ${wantedGroup}` : `user: ${wantedUser}`
    throw new SetupError(`${setting} needs the service to be started as root, not as user ${self.uid}`)
  }
  return { uid, gid, groups: [gid, ...(user === null ? [] : accounts.groupsOf(user).filter((id) => id !== gid))], user }
}

function groupId(wanted: string | number, accounts: Accounts): number {
  return accounts.group(String(wanted))?.gid ?? bareNumber('group', wanted)
}

/** A number needs no entry: containers run as users that no file knows. */
function bareNumber(setting: 'user' | 'group', wanted: string | number): number {
  const id = /^\d{1,10}$/.test(String(wanted)) ? Number(wanted) : -1
  if (id >= 0 && id <= LARGEST) return id
  throw new SetupError(`${setting}: there is no ${setting} ${JSON.stringify(wanted)} on this machine`)
}

function ownGroup(user: User | null, wanted: string | number | null): number {
  if (user !== null) return user.gid
  throw new SetupError(`user: ${wanted} has no entry on this machine, so it has no group: set group too`)
}
