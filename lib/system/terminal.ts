/**
 * A terminal that hangs up while we run: at its end Node puts the terminal's modes back, and aborts where that fails
 * with EIO. The exit code would be lost, and a core dumped.
 */
import { isatty } from 'node:tty'
import type { Kernel } from '../kernel/kernel.ts'

const STANDARD = [0, 1, 2]

/** Ends this process without Node's end, after its own `exit` handlers, if a terminal among 0, 1 and 2 is gone by then. */
export function outliveTerminal(kernel: Pick<Kernel, 'exit'>): void {
  const terminals = STANDARD.filter((fd) => isatty(fd))
  if (terminals.length === 0) return
  process.on('exit', (code) => {
    // One that has hung up does not answer as a terminal any more.
    if (terminals.some((fd) => !isatty(fd))) kernel.exit(code)
  })
}
