/**
 * Looking at other processes through /proc: who they are, whose session they belong to (proc_pid_stat(5)).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type Pid, pid } from '../units.ts'

/** What /proc/PID/stat says of a process. */
export type ProcessStat = {
  readonly pid: Pid
  readonly command: string
  /** One letter: `R` running, `S` sleeping, `Z` zombie, `X` dead … */
  readonly state: string
  readonly parent: Pid
  readonly group: Pid
  readonly session: Pid
  /** Clock ticks of user and of system time. */
  readonly userTicks: number
  readonly systemTicks: number
  /** Clock ticks between boot and the process's start: with the pid, a name that is never given twice. */
  readonly start: number
  /** Resident set in pages. */
  readonly rssPages: number
}

/** The process's stat, or null where there is none of that number. */
export function processStat(of: Pid, proc = '/proc'): ProcessStat | null {
  try {
    return parseStat(readFileSync(`${proc}/${of}/stat`, 'latin1'))
  } catch {
    return null
  }
}

/** The running members of these sessions, without their leaders and without zombies. One look at /proc for all. */
export function sessionMembers(sessions: ReadonlySet<Pid>, proc = '/proc'): ProcessStat[] {
  return runningProcesses(proc).filter((one) => sessions.has(one.session) && one.pid !== one.session)
}

/** Every process that is neither a zombie nor dead. One that ends while it is looked at is left out. */
export function runningProcesses(proc = '/proc'): ProcessStat[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processStat(pid(Number(name)), proc))
    .filter((one): one is ProcessStat => one !== null && one.state !== 'Z' && one.state !== 'X')
}

/** Reads the one line of /proc/PID/stat. A command may hold spaces and parentheses, so its end is the last one. */
export function parseStat(line: string): ProcessStat | null {
  const open = line.indexOf('(')
  const close = line.lastIndexOf(')')
  if (open < 0 || close < open) return null
  const fields = line
    .slice(close + 2)
    .trim()
    .split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  return {
    pid: pid(Number(line.slice(0, open))),
    command: line.slice(open + 1, close),
    state: fields[0] ?? '',
    parent: pid(field(4)),
    group: pid(field(5)),
    session: pid(field(6)),
    userTicks: field(14),
    systemTicks: field(15),
    start: field(22),
    rssPages: field(24),
  }
}
