/**
 * Whether a process can be forked: nothing may be open that parent and children would share, and nothing in flight whose
 * end only one of them would hear of. Compared with what Node itself has open before the app is loaded.
 */
import { readlinkSync } from 'node:fs'
import type { Kernel } from '../kernel/kernel.ts'
import type { MoldKernel } from '../kernel/mold-kernel.ts'

/** What a process has open at one moment. */
export type Holdings = {
  /** libuv's handles by type, inactive and unreferenced ones included. */
  readonly handles: Readonly<Record<string, number>>
  /** What each open descriptor is, such as `socket:[4711]` or a path. */
  readonly descriptors: Readonly<Record<number, string>>
  readonly threads: number
  /** What those call themselves that bear a name of their own. */
  readonly named: readonly string[]
  /** Requests in flight on the event loop. */
  readonly requests: number
  /** Timers that keep the loop alive. */
  readonly timers: number
}

/** Handles that a fork puts right (libuv's own) or that mean no harm: timers are warned about apart. */
const HARMLESS: ReadonlySet<string> = new Set(['timer', 'signal', 'check', 'idle', 'prepare', 'async'])

/**
 * Nothing is shared through these, which libuv opens for itself and keeps: the first with its first stream, for when
 * descriptors run out, the other with the first file that is watched, a new one in each child (uv_loop_fork).
 */
const LIBUVS: ReadonlySet<string> = new Set(['/dev/null', 'anon_inode:inotify'])

export function holdings(
  kernel: Pick<Kernel, 'loopHandles' | 'listFds'>,
  mold: Pick<MoldKernel, 'loopRequests' | 'threads'>,
): Holdings {
  const handles: Record<string, number> = {}
  for (const { type } of kernel.loopHandles()) handles[type] = (handles[type] ?? 0) + 1
  const [main, ...threads] = mold.threads().map(({ name }) => name)
  return {
    handles,
    descriptors: Object.fromEntries(kernel.listFds().map((fd) => [fd, targetOf(fd)])),
    threads: 1 + threads.length,
    named: threads.filter((name) => name !== main),
    requests: mold.loopRequests(),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  }
}

/** What is open now that was not before, one phrase each; empty: quiet. `starters`: who has started threads. Pure. */
export function stillOpen(before: Holdings, now: Holdings, starters: readonly string[]): string[] {
  const open: string[] = []
  for (const [type, count] of Object.entries(now.handles)) {
    const more = count - (before.handles[type] ?? 0)
    if (more > 0 && !HARMLESS.has(type)) open.push(`${more} × ${HANDLE_WORDS[type] ?? `a handle of the type ${type}`}`)
  }
  const more = now.threads - before.threads
  if (more > 0) open.push(threads(more, before, now, starters))
  const opened = Object.entries(now.descriptors).filter(
    ([fd, target]) => before.descriptors[Number(fd)] === undefined && !LIBUVS.has(target),
  )
  const others = opened.filter(([, target]) => more <= 0 || !OF_LOOPS.test(target))
  if (others.length < opened.length) open.push(`${opened.length - others.length} descriptors that may be of threads`)
  for (const [fd, target] of others) open.push(`descriptor ${fd} (${target})`)
  if (now.requests > before.requests) open.push(`${now.requests - before.requests} × a request in flight`)
  return open
}

/** What each thread's event loop has. */
const OF_LOOPS = /^(anon_inode|pipe):/

/** So Node calls all that a `Worker` or the module loader starts, from version 24 on. */
const NODES_OWN = 'WorkerThread'

function threads(more: number, before: Holdings, now: Holdings, starters: readonly string[]): string {
  const names = now.named.filter((name) => name !== NODES_OWN && !before.named.includes(name))
  const told = [...new Set([...starters, ...names])].join(', ')
  return `${more} × a thread${told === '' ? '' : ` (${told})`}`
}

const HANDLE_WORDS: Readonly<Record<string, string>> = {
  tcp: 'a TCP socket',
  pipe: 'a pipe or UNIX socket',
  udp: 'a UDP socket',
  process: 'a child process',
  fs_event: 'a watched file',
  fs_poll: 'a polled file',
  poll: 'a watched descriptor',
  tty: 'a terminal',
}

function targetOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return 'gone'
  }
}
