/** Where an export is served without `bind`. Pure. */
import { parseAddress } from '../../config/address.ts'
import type { ListenerAddress } from '../../kernel/kernel.ts'
import type { Target } from './exports.ts'

/**
 * `decided` is what the arbiter made of its environment, `port` is `$PORT` as the app sees it: Node's `--env-file` may have
 * set it in the workers alone.
 */
export const exportTarget = (decided: ListenerAddress, port: string | undefined): Target => {
  const named = port !== undefined && /^\d+$/.test(port) ? parseAddress(port) : null
  const { host, port: number } = (named?.kind === 'tcp' ? named : decided) as Extract<ListenerAddress, { kind: 'tcp' }>
  return { host, port: number }
}
