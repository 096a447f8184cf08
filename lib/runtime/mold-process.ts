/**
 * One mold, as whoever keeps it sees it: the arbiter, for workers, or the manager, for companions. Passes on what it says;
 * decides nothing.
 */
import { Channel } from '../channel/channel.ts'
import { FROM_MOLD, type FromMold, MOLD_PROTOCOL, type MoldGo, type ToMold } from '../channel/mold-messages.ts'
import type { Kernel, SpawnPlan } from '../kernel/kernel.ts'
import type { Fd, Pid } from '../units.ts'

export type Failed = Extract<FromMold, { kind: 'failed' }>

export type MoldStart = {
  /** What it is started as; `channel` is its end of the channel. */
  readonly plan: (channel: Fd) => SpawnPlan
  readonly go: Omit<MoldGo, 'kind' | 'protocol' | 'keeper'>
}

export class MoldProcess {
  readonly pid: Pid
  /** It has forked, or could have. */
  isQuiet = false
  /** Why it can never fork, when it has said so. */
  failed: Failed | null = null
  /** Messages that have come of it. */
  said = 0
  readonly #kernel: Kernel
  readonly #channel: Channel<FromMold, ToMold>

  /** A process that is there, and our end of the channel to it. */
  constructor(kernel: Kernel, pid: Pid, channel: Fd, heard: (message: FromMold) => void) {
    this.#kernel = kernel
    this.pid = pid
    this.#channel = new Channel<FromMold, ToMold>(kernel, channel, FROM_MOLD)
    this.#channel.open({
      message: (message, fds) => {
        for (const fd of fds) kernel.close(fd)
        this.said++
        if (message.kind === 'failed') this.failed ??= message
        if (message.kind === 'quiet') this.isQuiet = true
        heard(message)
      },
      // Its exit is what counts, and comes by itself.
      ended: () => this.#channel.close(),
      garbled: () => undefined,
    })
  }

  /** Asks for a fork: `fds` are the child's channel and its 0, 1 and 2. `forked` or `forkFailed` answers, when it is quiet. */
  ask(request: number, fds: readonly Fd[]): void {
    this.#channel.send({ kind: 'fork', request }, fds)
  }

  /** Its own 1 and 2 are these from now on. */
  reopen(stdout: Fd, stderr: Fd): void {
    this.#channel.send({ kind: 'reopen' }, [stdout, stderr])
  }

  /** The first that it hears. */
  sayGo(go: MoldStart['go']): void {
    this.#channel.send({ kind: 'go', protocol: MOLD_PROTOCOL, keeper: this.#kernel.getpid(), ...go })
  }

  hear(): void {
    this.#channel.hear()
  }

  /** It holds nothing that would need an orderly end. */
  kill(): void {
    this.#kernel.kill(this.pid, 'SIGKILL')
  }

  /** It was reaped. */
  forget(): void {
    this.#channel.close()
  }
}

/** Starts one by fork/exec. Throws a `SpawnError`; then nothing is left of it. */
export function startMold(kernel: Kernel, { plan, go }: MoldStart, heard: (message: FromMold) => void): MoldProcess {
  const [ours, theirs] = kernel.channelPair()
  let pid: Pid
  try {
    pid = kernel.spawn(plan(theirs))
  } catch (error) {
    kernel.close(ours)
    throw error
  } finally {
    kernel.close(theirs)
  }
  const mold = new MoldProcess(kernel, pid, ours, heard)
  mold.sayGo(go)
  return mold
}
