/** One mold: the process that has a generation's app loaded and forks workers. Passes on what it says; decides nothing. */
import { Channel } from '../channel/channel.ts'
import { FROM_MOLD, type FromMold, MOLD_PROTOCOL, type ToMold } from '../channel/mold-messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Pid } from '../units.ts'
import type { Generation } from './generation.ts'
import { moldPlan } from './plan.ts'
import type { Standard, Unborn } from './workers.ts'

export type Failed = Extract<FromMold, { kind: 'failed' }>

export class MoldProcess {
  readonly pid: Pid
  readonly generation: Generation
  /** It has forked, or could have. */
  isQuiet = false
  /** Why it can never fork, when it has said so. */
  failed: Failed | null = null
  readonly #kernel: Kernel
  readonly #channel: Channel<FromMold, ToMold>

  /** Throws a `SpawnError`. */
  constructor(kernel: Kernel, generation: Generation, standard: Standard, heard: (message: FromMold) => void) {
    this.#kernel = kernel
    this.generation = generation
    const [ours, theirs] = kernel.channelPair()
    try {
      this.pid = kernel.spawn(moldPlan(generation.program, process.execPath, { ...standard, channel: theirs }))
    } catch (error) {
      kernel.close(ours)
      throw error
    } finally {
      kernel.close(theirs)
    }
    this.#channel = new Channel<FromMold, ToMold>(kernel, ours, FROM_MOLD)
    this.#channel.open({
      message: (message, fds) => {
        for (const fd of fds) kernel.close(fd)
        if (message.kind === 'failed') this.failed ??= message
        if (message.kind === 'quiet') this.isQuiet = true
        heard(message)
      },
      // Its exit is what counts, and comes by itself.
      ended: () => this.#channel.close(),
      garbled: () => undefined,
    })
    const { bootTimeout, preloadOpen } = generation.config
    this.#channel.send({
      kind: 'go',
      protocol: MOLD_PROTOCOL,
      keeper: kernel.getpid(),
      patience: bootTimeout,
      open: preloadOpen,
      leader: 'group',
    })
  }

  /** Asks for a worker; `forked` or `forkFailed` answers, when the app is loaded. */
  ask(request: number, unborn: Unborn, { stdin, stdout, stderr }: Standard): void {
    this.#channel.send({ kind: 'fork', request }, [unborn.theirs, stdin, stdout, stderr])
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
