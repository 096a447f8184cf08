/**
 * What a signal to the arbiter orders. gunicorn's meanings; si_code tells a person's `kill` from the kernel's own
 * signals: a terminal that is resized sends WINCH, a background job that touches it gets TTIN or TTOU, and one that is
 * closed sends HUP. (si_pid would not do: it is 0 across pid namespaces.)
 */
import type { Signal, SignalRecord } from '../kernel/kernel.ts'

export type Order =
  | { readonly kind: 'reload' }
  | { readonly kind: 'stop'; readonly how: 'graceful' | 'quick' }
  | { readonly kind: 'scale'; readonly by: 1 | -1 }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'upgrade' }
  /** Drain the workers, keep the arbiter. */
  | { readonly kind: 'drain' }

type Meaning = { readonly sent: Order | null; readonly fromKernel: Order | null }

const always = (order: Order | null): Meaning => ({ sent: order, fromKernel: order })
const sent = (order: Order): Meaning => ({ sent: order, fromKernel: null })

const MEANING = {
  SIGHUP: { sent: { kind: 'reload' }, fromKernel: { kind: 'stop', how: 'graceful' } },
  SIGTERM: always({ kind: 'stop', how: 'graceful' }),
  SIGINT: always({ kind: 'stop', how: 'quick' }),
  SIGQUIT: always({ kind: 'stop', how: 'quick' }),
  SIGTTIN: sent({ kind: 'scale', by: 1 }),
  SIGTTOU: sent({ kind: 'scale', by: -1 }),
  SIGUSR1: sent({ kind: 'reopen' }),
  SIGUSR2: sent({ kind: 'upgrade' }),
  SIGWINCH: sent({ kind: 'drain' }),
  // Only wakes the loop, which reaps in every turn.
  SIGCHLD: always(null),
} as const satisfies Partial<Record<Signal, Meaning>>

/** The signals that the arbiter takes over. */
export const ARBITER_SIGNALS = Object.keys(MEANING) as readonly (keyof typeof MEANING)[]

/** The order that a signal gives; null where it gives none. */
export function orderOf(record: SignalRecord): Order | null {
  const meaning: Meaning | undefined = MEANING[record.signal as keyof typeof MEANING]
  return meaning?.[record.fromKernel ? 'fromKernel' : 'sent'] ?? null
}
