/**
 * Everything that monoceros asks of the operating system and Node does not offer, behind one interface.
 *
 * `addon.ts` is the real one and the only file that loads the addon; tests have a fake that passes the same contract
 * test. The kernel keeps no policy: no retry, no log, no environment look-up, no PATH search. A system call that fails
 * throws a `KernelError` unless its comment says otherwise.
 */
import type { Fd, Ms, Pid } from '../units.ts'

/** A signal by its POSIX name, as in `os.constants.signals`. */
export type Signal = NodeJS.Signals

/** A failed system call. `message` is one line that names the call, the errno and what it was about. */
export type KernelError = Error & {
  /** The errno's name, such as `ENOENT`. */
  readonly code: string
  /** Negative, as Node has it (`util.getSystemErrorName`). */
  readonly errno: number
  readonly syscall: string
  readonly path?: string
}

/** What the child was doing when it failed to become the program: in the order of the child's work. */
export type SpawnStage = 'fork' | 'signals' | 'session' | 'fds' | 'cwd' | 'limits' | 'identity' | 'parent' | 'exec'

/** `spawn` failed; the child, where there was one, has been reaped. */
export type SpawnError = KernelError & { readonly stage: SpawnStage }

export type ResourceLimit = {
  /** As in getrlimit(2), without the prefix: `NOFILE`, `CORE`, `AS` … */
  readonly resource: string
  /** `null` is RLIM_INFINITY. */
  readonly soft: number | null
  readonly hard: number | null
}

/** Everything about a child, decided before the fork. */
export type SpawnPlan = {
  /** Absolute path of the program; also where a relative one is a mistake of the caller (EINVAL). */
  readonly file: string
  /** The whole argument vector, `argv[0]` included. */
  readonly argv: readonly string[]
  /** The whole environment. Clean it with `childEnvironment` first. */
  readonly env: Readonly<Record<string, string>>
  /**
   * Which descriptor becomes which in the child. 0, 1 and 2 must be among the targets. Swaps work. Every descriptor
   * that is no target is closed by the exec.
   */
  readonly fds: readonly { readonly from: Fd; readonly to: number }[]
  readonly cwd?: string
  readonly umask?: number
  readonly limits?: readonly ResourceLimit[]
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
  /** `session`: setsid(2). `group`: a process group of its own in our session. Without it: ours. */
  readonly leader?: 'session' | 'group'
  /** Sent to the child when we die (PR_SET_PDEATHSIG). A child whose parent is already gone does not exec. */
  readonly parentDeathSignal?: Signal
}

/** How a process ended. Exactly one of `code` and `signal` is not null. */
export type Exit = {
  readonly pid: Pid
  readonly code: number | null
  readonly signal: Signal | null
  readonly core: boolean
  /**
   * User and system time in milliseconds; the largest resident set in KiB (getrusage(2)), which is never below what the
   * parent had at the spawn: the child begins in its memory.
   */
  readonly usage: { readonly userMs: number; readonly systemMs: number; readonly maxRssKib: number }
}

/** One received signal, as siginfo_t gave it (sigaction(2)). */
export type SignalRecord = {
  readonly signal: Signal
  /**
   * 0 when the kernel sent it or the sender lives in another pid namespace: trust `fromKernel`, not this. With SIGCHLD
   * the child.
   */
  readonly pid: number
  readonly uid: number
  /** si_code is not SI_USER, SI_QUEUE or SI_TKILL: a terminal, a dying child, a timer; not somebody's kill(2). */
  readonly fromKernel: boolean
}

/** An open watch on a descriptor; keeps the event loop alive until `unref` or `close`. */
export type Watch = {
  ref(): void
  unref(): void
  /** Idempotent. Does not close the descriptor. */
  close(): void
}

/** One datagram of a channel with the descriptors that came with it (all close-on-exec). */
export type Datagram = { readonly data: Buffer; readonly fds: readonly Fd[] }

export type ListenerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly v6only?: boolean }
  | {
      readonly kind: 'unix'
      readonly path: string
      /** Permission bits of the socket file, exact whatever the umask. Default 0666. */
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
    }

/** A user with its groups, the first of them its own. */
export type Rights = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

export type ListenOptions = { readonly backlog: number; readonly reusePort?: boolean }

/** Of a connection: some process has it, none has, or the kernel cannot tell. */
export type OtherEnd = 'held' | 'left' | 'unknown'

export type Peer = { readonly pid: number; readonly uid: number; readonly gid: number }

/** A libuv handle of this process's own loop, for the quiet check and for whose child is whose. */
export type LoopHandle = {
  readonly type: string
  readonly active: boolean
  readonly referenced: boolean
  readonly pid?: Pid
}

export type Kernel = {
  // ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────
  /** fork/exec by the plan, at a cost that does not grow with our memory. Throws a `SpawnError`. */
  spawn(plan: SpawnPlan): Pid
  /** Which of our children have exited, without reaping them: each stays a zombie and its number stays taken. */
  exited(children: readonly Pid[]): Pid[]
  /** Reaps those of our children that have exited (waitid(2), WNOHANG). A pid that is no child of ours is left out. */
  reap(children: readonly Pid[]): Exit[]
  /**
   * Reaps exited children that are neither in `except` nor libuv's (orphans adopted as subreaper or process 1).
   * `blocked` says that one of those others stands first and hides what is behind it: ask again next turn.
   */
  reapStrangers(except: readonly Pid[]): { readonly exits: Exit[]; readonly blocked: boolean }
  /**
   * Sends a signal to a child of ours, through a pidfd where the kernel has them. False when it is no child of ours (any
   * more); true for one that has exited and waits to be reaped.
   */
  kill(child: Pid, signal: Signal): boolean
  /**
   * Sends a signal to a process that need not be our child, as long as it is in that session (getsid(2)), asked after its
   * pidfd was opened: a number that was found in /proc and taken again meanwhile is not hit. False when it is not.
   */
  killMember(session: Pid, member: Pid, signal: Signal): boolean
  /** Sends a signal to every member of a process group. False when there is none. */
  killGroup(group: Pid, signal: Signal): boolean
  /**
   * Replaces this process's image; returns only by throwing. Descriptors in `keep` survive, others do as flagged: Node
   * marks 0, 1 and 2 close-on-exec at its start, so name them too.
   */
  execve(file: string, argv: readonly string[], env: Readonly<Record<string, string>>, keep: readonly Fd[]): never
  /** Ends the process at once, without Node's or libc's exit handlers (_exit(2)). */
  exit(code: number): never
  /** getpid(2) and getppid(2) asked afresh: Node caches both. */
  getpid(): Pid
  getppid(): Pid
  /** PR_SET_CHILD_SUBREAPER: orphaned descendants become our children. */
  becomeSubreaper(): void
  /** PR_SET_PDEATHSIG for ourselves; `null` clears it. */
  setParentDeathSignal(signal: Signal | null): void
  /** The name that ps and top show: the thread's (PR_SET_NAME, 15 bytes) and, where it fits, the command line. */
  setProcessName(name: string): void
  /**
   * What `action` does with files by name, it does with the rights of that user: of this thread alone (setfsuid(2)), so only
   * what is done at once. Ports and signals are another matter. Needs CAP_SETUID and CAP_SETGID unless it is who we are.
   */
  withFileRights<Result>(of: Rights, action: () => Result): Result
  getLimit(resource: string): ResourceLimit
  setLimit(limit: ResourceLimit): void

  // ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Takes these signals over for the life of the process. Returns the reading end of the self-pipe, to be watched.
   * A second call with other signals adds them.
   */
  openSignals(signals: readonly Signal[]): Fd
  /**
   * Calls back in each turn of the event loop in which there are signals to read, as `watch` on the self-pipe would, and
   * reaps on sight, in the same turn and before any JavaScript: children of `spawn` and of `adopt` that have exited and lead no session.
   * `reaped` is the number of exits that wait in `takeExits`. What a leader of a group leaves behind is killed before it
   * is reaped; a leader of a session stays a zombie, since its members have to be looked for.
   */
  watchSignals(callback: (reaped: number) => void): Watch
  /**
   * Has this child reaped on sight as well: one that a mold has forked, that came to us as its subreaper, and that leads a
   * group or will.
   */
  adopt(child: Pid): void
  /** Whether that is a child of this process, alive or not yet reaped. */
  isChild(process: Pid): boolean
  /** The children that were reaped on sight since the last call. `exited` and `reap` do not know them any more. */
  takeExits(): Exit[]
  /**
   * Has the death of this process (of its main thread) told before the kernel has taken its memory back, which is when it
   * can be reaped: by a robust futex (get_robust_list(2)) in the 64 bytes from `at` on, a multiple of 8, of shared memory.
   * They are this process's as long as it lives. False where its libc or the kernel has none; EINVAL where they are not
   * within the memory.
   */
  markLife(memory: ArrayBuffer, at: number): boolean
  /** Takes it back: the place may be another's while this process lives on. */
  unmarkLife(memory: ArrayBuffer, at: number): void
  /**
   * Has this process, which has marked its life there, in `takeDying` as soon as it is dying, and `watchSignals` call
   * back then. Nothing is told of one that has not, nor where the kernel is older than Linux 5.16 (futex_waitv(2)).
   */
  watchLife(memory: ArrayBuffer, at: number, of: Pid): void
  /** Before the place is another's. */
  forgetLife(of: Pid): void
  /**
   * Those that are about to die, since the last call. A hint: how it ends only its exit tells, and one that has replaced
   * its image (execve(2)) is among them and lives on.
   */
  takeDying(): Pid[]
  /**
   * Has this said over a channel (`channelPair`) as soon as that process, whose life is watched, is dying: at once, by a
   * thread, before `takeDying` tells of it. A channel says the will of the first who dies, and then no other one. The
   * descriptors stay the caller's; what names one that is closed meanwhile is revoked. EINVAL as in `send`.
   */
  setWill(of: Pid, channel: Fd, data: Uint8Array, fds: readonly Fd[]): void
  /** Nothing is said over this channel any more. Whose will was, since the last call; null: nobody's. */
  revokeWills(channel: Fd): Pid | null
  /** What came since the last call, oldest first. When the pipe was full, a record without sender for each signal. */
  readSignals(): SignalRecord[]
  /** Compares the dispositions with ours, reinstalls what somebody replaced, and returns which those were. */
  checkSignals(): Signal[]

  // ── descriptors ──────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Calls back in each turn of the event loop in which the descriptor is readable (or writable), hung up or in error.
   * One watch a descriptor (EEXIST); no regular files (EPERM); the descriptor becomes non-blocking.
   */
  watch(fd: Fd, on: 'readable' | 'writable', callback: () => void): Watch
  /** A connected pair of SOCK_SEQPACKET sockets, close-on-exec, non-blocking. */
  channelPair(): [Fd, Fd]
  /**
   * Sends one datagram, not empty, with up to 253 descriptors (SCM_RIGHTS). False when the peer's queue is full (EAGAIN).
   * EPIPE throws, and so does EMSGSIZE (about 200 KiB).
   */
  send(channel: Fd, data: Uint8Array, fds?: readonly Fd[]): boolean
  /**
   * The next datagram; `null` when there is none now; `'end'` when the peer is gone. EMFILE throws: the datagram and its
   * descriptors are lost, since there was no place for all of them.
   */
  receive(channel: Fd): Datagram | null | 'end'
  /** As `receive`, waiting up to `timeout` for a datagram (poll(2)); `null` when none came. Blocks the loop. */
  receiveNow(channel: Fd, timeout: Ms): Datagram | null | 'end'
  /**
   * Writes what fits now to a stream socket, whose O_NONBLOCK may be shared and is left alone (send(2), MSG_DONTWAIT and
   * MSG_NOSIGNAL). Returns the bytes written, 0 when nothing fits.
   */
  writeNow(socket: Fd, data: Uint8Array): number
  /**
   * Sends one datagram to a UNIX datagram socket by its path; a leading `@` is the abstract namespace (unix(7)). Never
   * blocks: EAGAIN throws like any other errno. For sd_notify(3); Node has no such socket.
   */
  notify(path: string, text: string): void
  /** A pipe, close-on-exec, the reading end non-blocking. */
  pipe(): { readonly read: Fd; readonly write: Fd }
  /** Opens for appending, creating with mode 0644, close-on-exec (open(2), O_APPEND). */
  openAppend(path: string): Fd
  dup(fd: Fd): Fd
  dup2(from: Fd, to: number): void
  close(fd: Fd): void
  setCloseOnExec(fd: Fd, on: boolean): void
  /** O_NONBLOCK belongs to the open file description: it holds for everybody who shares it (fcntl(2), F_SETFL). */
  setNonBlocking(fd: Fd, on: boolean): void
  /** Open descriptors of this process, ascending, without the one used to look. */
  listFds(): Fd[]
  /** Who is at the other end of a UNIX socket (SO_PEERCRED). */
  peer(socket: Fd): Peer
  /**
   * Whether a process still holds the other end of a connection. A FIN alone does not tell. Known for UNIX sockets
   * (POLLHUP, unix(7)) and for TCP within this network namespace (sock_diag(7): a socket that nobody holds has no
   * inode); `unknown` for a peer elsewhere. EOPNOTSUPP where the kernel does not answer such questions.
   */
  otherEnd(socket: Fd): OtherEnd
  /**
   * An exclusive POSIX record lock on the whole file (fcntl(2), F_SETLK), released when this process ends or closes
   * any descriptor of that file. Returns 0 when it was taken, else the pid that holds it, -1 for one that is not to be
   * seen from this pid namespace.
   */
  lock(fd: Fd): Pid | 0

  // ── listeners ────────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * socket, bind, listen; non-blocking and close-on-exec. A TCP host is a number (EINVAL). A UNIX path is bound under a
   * temporary name and renamed, so that it never refuses and has its mode and owner from the first moment; it may have
   * 100 bytes (ENAMETOOLONG). Throws EADDRINUSE when a living server accepts on it, EEXIST where it is no socket.
   */
  listen(address: ListenerAddress, options: ListenOptions): Fd
  /**
   * Where a listening socket is bound; throws ENOTSOCK or EINVAL for a descriptor that is no listening socket. A UNIX
   * path is the one given to `listen`, though getsockname(2) (hence Node's `server.address()`) shows the temporary name
   * for ever; an abstract one begins with a NUL.
   */
  listenerAddress(listener: Fd): ListenerAddress
  /** Accepts one connection, non-blocking and close-on-exec (accept4(2)); `null` when the queue is empty. */
  accept(listener: Fd): Fd | null

  // ── shared memory ────────────────────────────────────────────────────────────────────────────────────────────────
  /** A memfd of that size, zeroed, sealed against SHRINK, GROW and further seals. */
  sharedMemory(name: string, bytes: number): Fd
  /**
   * Maps the whole memfd for this process; the memory stays mapped until the buffer is collected. Throws EINVAL where it
   * is not sealed against SHRINK: its maker could end us by SIGBUS.
   */
  map(memory: Fd): ArrayBuffer

  // ── stuck stack ──────────────────────────────────────────────────────────────────────────────────────────────────
  /**
   * Starts the thread that waits for a byte on `alarm`, interrupts JavaScript wherever it is and prints its stack to
   * fd 2; or that the event loop waits, where it does. Call after any fork. Returns the name of the missing symbol where
   * the Node binary lacks one, else null.
   */
  watchForStuckStack(alarm: Fd): string | null
  /** An eventfd for `watchForStuckStack`, close-on-exec. */
  alarm(): Fd
  /** Makes the watcher at the other end of this eventfd print once. */
  ring(alarm: Fd): void

  // ── this loop ────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Every handle of the event loop (uv_walk), internal ones included. */
  loopHandles(): LoopHandle[]
  /** CLOCK_MONOTONIC in milliseconds, the same for all processes of the machine. */
  now(): Ms
}
