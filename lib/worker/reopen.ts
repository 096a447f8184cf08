/** Takes new descriptors into use: where output went to a file that was moved away. */
import type { ToWorker } from '../channel/messages.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Fd } from '../units.ts'
import type { AccessLog } from './responses/access-log.ts'

type Reopen = Extract<ToWorker, { kind: 'reopen' }>

/** One descriptor for each name; those of nobody are closed. */
export const reopen = (kernel: Kernel, { files }: Reopen, fds: readonly Fd[], access: AccessLog | null): void => {
  const places = { stdout: 1, stderr: 2, accesslog: null }
  for (const [index, opened] of fds.entries()) {
    const file = files[index] ?? 'accesslog'
    const place = places[file]
    if (place !== null) kernel.dup2(opened, place)
    if (file === 'accesslog' && access !== null) access.use(opened)
    else kernel.close(opened)
  }
}
