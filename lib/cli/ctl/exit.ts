/** Exit codes of monocerosctl, as documented in docs/control.md. */
export const EXIT = {
  done: 0,
  /** The command was refused, or part of it failed. */
  refused: 1,
  usage: 2,
  /** `status`: something that was asked about does not run (LSB and supervisorctl use the same number). */
  notRunning: 3,
  /** Nobody answers: not running, no permission, or stuck. */
  noAnswer: 4,
} as const
