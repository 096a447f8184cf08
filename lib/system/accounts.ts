/**
 * Users and groups of the machine by name or number. Node has no getpwnam(3).
 *
 * /etc/passwd and /etc/group first: that needs no process and works in images without any tool. What is not there may
 * come from LDAP, sssd or systemd; `getent` and `id` ask those (nsswitch.conf(5)).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export type User = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
export type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

export type Accounts = {
  /** By name, or by number as text. */
  user(wanted: string): User | null
  group(wanted: string): Group | null
  /** Ids of the groups that the user belongs to besides its own. */
  groupsOf(user: User): number[]
}

/** How long a directory service may take, in milliseconds. */
const PATIENCE = 5_000

export function systemAccounts(etc = '/etc', ask: typeof run = run): Accounts {
  const users = (): User[] => readLines(`${etc}/passwd`).flatMap(parseUser)
  const groups = (): Group[] => readLines(`${etc}/group`).flatMap(parseGroup)
  return {
    user: (wanted) =>
      pick(users(), wanted, ({ uid }) => uid) ?? parseUser(ask('getent', ['passwd', '--', wanted]).trim())[0] ?? null,
    group: (wanted) =>
      pick(groups(), wanted, ({ gid }) => gid) ?? parseGroup(ask('getent', ['group', '--', wanted]).trim())[0] ?? null,
    groupsOf(user) {
      const local = pick(users(), user.name, ({ uid }) => uid) !== null
      const all = local
        ? groups()
            .filter(({ members }) => members.includes(user.name))
            .map(({ gid }) => gid)
        : ask('id', ['-G', '--', user.name]).split(/\s+/).filter(isNumber).map(Number)
      return [...new Set(all)].filter((gid) => gid !== user.gid)
    },
  }
}

/** A name wins over a number: a user may be called `1000`. */
function pick<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  wanted: string,
  idOf: (entry: Entry) => number,
): Entry | null {
  const byName = entries.find(({ name }) => name === wanted)
  return byName ?? (isNumber(wanted) ? entries.find((entry) => idOf(entry) === Number(wanted)) : null) ?? null
}

/** passwd(5): name:password:uid:gid:comment:home:shell. None for a line that is no such entry. */
export function parseUser(line: string): User[] {
  const [name, , uid, gid, , home = '/'] = line.split(':')
  return name && isNumber(uid) && isNumber(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : []
}

/** group(5): name:password:gid:members. */
export function parseGroup(line: string): Group[] {
  const [name, , gid, members = ''] = line.split(':')
  return name && isNumber(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }] : []
}

const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d{1,10}$/.test(text)

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** The output; empty when there is no such tool or it found nothing. */
function run(tool: string, args: readonly string[]): string {
  try {
    return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: PATIENCE })
  } catch {
    return ''
  }
}
