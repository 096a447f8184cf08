/** The part of the kernel that only a mold and what it forks need: forking a running Node without exec. */
import type { Fd, Pid } from '../units.ts'

/** What a child of a mold was forked for: the whole request, and its descriptors, which are close-on-exec. */
export type ForkOrder = { readonly request: number; readonly data: Buffer; readonly fds: readonly Fd[] }

export type MoldKernel = {
  /**
   * Makes V8 post nothing to Node's worker threads from now on: they do not survive a fork, and V8 would wait for what
   * it posted. To be called before the app is loaded, in a process with `--single-threaded`. Returns the name of what
   * this Node binary lacks, else null.
   */
  muteWorkerThreads(): string | null
  /**
   * Makes what is forked from this process leave by _exit(2) where Node would take itself apart, with the exit code that Node
   * has come to and after what it has printed. Returns the name of what this Node binary lacks, else null.
   */
  leaveByExit(): string | null
  /**
   * From now on SIGUSR1 is ignored, at which Node would open its inspector on another thread; what is forked from this
   * process handles it as Node does.
   */
  ignoreInspectorSignal(): void
  /** Requests in flight on the event loop: file and dns work, writes, connects. */
  loopRequests(): number
  /** The threads of this process, the main one first. */
  threads(): readonly { readonly id: number; readonly name: string }[]
  /**
   * Blocks the process for ever and forks a child for each `fork` on the channel (`lib/channel/mold-messages.ts`);
   * returns only in the children, with the channel closed there. A child's parent is gone when the answer is sent, so
   * it has been adopted by the nearest subreaper. The end of the channel ends the mold, without exit handlers.
   *
   * In the child the event loop works (uv_loop_fork) and its clock is right. Everything else is as in the mold: `pid`
   * and `ppid` of `process` may be stale, caches of random values are copies, the parent-death signal is cleared, and
   * the only way out is `Kernel.exit`: Node's own shutdown joins threads that are gone.
   */
  serveForks(channel: Fd): ForkOrder
  /** A blocking TCP connection, close-on-exec, to a port of this machine where this process listens. */
  connectLocally(port: number): Fd
  /** Gives unused memory of malloc(3) back to the system. */
  trimMemory(): void
  /**
   * Maps beforehand what another process that was forked from the same one has come to need: copies the pages that it has
   * written to (2,048 at most), and maps those of files. Changes nothing that this process could see. The number of
   * pages that were copied; 0 as well where the other one is gone or may not be looked at.
   */
  touchAs(other: Pid): number
  /** Ends the watcher that `Kernel.watchForStuckStack` has started on this alarm: a thread would not survive a fork. */
  endStackWatch(alarm: Fd): void
  /** setsid(2), or setpgid(2) into a group of its own. */
  becomeLeader(of: 'session' | 'group'): void
}
