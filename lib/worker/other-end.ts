/** The kernel's knowledge of who holds the other end of a connection, for the HTTP engine. */
import type { Kernel, KernelError } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'

/** Asks no more once the kernel has said that it does not answer (a sandbox may forbid the question). */
export const otherEndOf = (kernel: Pick<Kernel, 'otherEnd'>): Kernel['otherEnd'] => {
  let answers = true
  return (socket: Fd) => {
    if (!answers) return 'unknown'
    try {
      return kernel.otherEnd(socket)
    } catch (error) {
      answers = (error as KernelError).code === 'EBADF'
      return 'unknown'
    }
  }
}
