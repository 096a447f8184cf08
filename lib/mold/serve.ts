/** The mold at work, and the first moments of what it forks. */
import type { Kernel } from '../kernel/kernel.ts'
import type { MoldKernel } from '../kernel/mold-kernel.ts'
import type { Fd } from '../units.ts'

/**
 * Blocks outside of the event loop, and forks when it is asked to; ends with the channel. Returns only in the forked
 * process: the descriptor of its own channel. Its 0, 1 and 2 are in place, and nothing of the mold's is open in it.
 */
export function serveForks(kernel: Kernel, mold: MoldKernel, channel: Fd, leader: 'group' | 'session'): Fd {
  const { fds } = mold.serveForks(channel)
  mold.becomeLeader(leader)
  const [own, ...standard] = fds
  for (const [place, fd] of standard.entries()) kernel.dup2(fd, place)
  for (const fd of standard) kernel.close(fd)
  return own!
}
