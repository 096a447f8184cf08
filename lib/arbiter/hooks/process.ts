/** One process that runs hooks (`lib/hooks/`): starts it, speaks to it, passes on what it says; decides nothing. */
import { join } from 'node:path'
import { Channel } from '../../channel/channel.ts'
import { FROM_HOOKS, type FromHooks, HOOKS_PROTOCOL, type ToHooks } from '../../channel/hook-messages.ts'
import { CHANNEL_VARIABLE } from '../../channel/messages.ts'
import { NODE_OPTIONS_VARIABLE } from '../../config/environment.ts'
import { childEnvironment } from '../../kernel/environment.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Fd, Pid } from '../../units.ts'
import type { Standard } from '../outputs.ts'

const MAIN = join(__dirname, '..', '..', 'hooks', 'main.js')
const CHANNEL = 3

export class HookProcess {
  readonly pid: Pid
  readonly #channel: Channel<FromHooks, ToHooks>

  /** `file`: the config file, absolute; loaded as it was for the settings. Throws a `SpawnError`. */
  constructor(
    kernel: Kernel,
    file: string,
    { stdin, stdout, stderr }: Standard,
    heard: (message: FromHooks) => void,
    garbled: (why: string) => void,
  ) {
    const { [NODE_OPTIONS_VARIABLE]: options, ...env } = childEnvironment(process.env)
    const [ours, theirs] = kernel.channelPair()
    try {
      this.pid = kernel.spawn({
        file: process.execPath,
        argv: [process.execPath, '--no-warnings', MAIN],
        env: { ...env, ...(options !== undefined && { NODE_OPTIONS: options }), [CHANNEL_VARIABLE]: String(CHANNEL) },
        fds: [
          { from: stdin, to: 0 },
          { from: stdout, to: 1 },
          { from: stderr, to: 2 },
          { from: theirs, to: CHANNEL },
        ],
        leader: 'group',
        parentDeathSignal: 'SIGKILL',
      })
    } catch (error) {
      kernel.close(ours)
      throw error
    } finally {
      kernel.close(theirs)
    }
    this.#channel = new Channel<FromHooks, ToHooks>(kernel, ours, FROM_HOOKS)
    this.#channel.open({
      message: (message, fds) => {
        for (const fd of fds) kernel.close(fd)
        heard(message)
      },
      // Its exit is what counts, and comes by itself.
      ended: () => this.#channel.close(),
      garbled,
    })
    this.#channel.send({ kind: 'go', protocol: HOOKS_PROTOCOL, arbiter: kernel.getpid(), file })
  }

  tell(message: ToHooks, fds: readonly Fd[] = []): boolean {
    return this.#channel.send(message, fds)
  }

  hear(): void {
    this.#channel.hear()
  }

  /** It was reaped. */
  forget(): void {
    this.#channel.close()
  }
}
