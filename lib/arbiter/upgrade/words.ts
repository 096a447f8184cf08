/** By what one version of monoceros tells another one to go on in its place (`arbiter/upgrade/`). */

/** Names the descriptor of the state in the environment. */
export const STATE_VARIABLE = 'MONOCEROS_STATE'
/** Set where the new version did not take over, and the one before it goes on. */
export const FAILED_VARIABLE = 'MONOCEROS_UPGRADE_FAILED'
/** With it a version looks whether it could go on, and changes nothing. */
export const CHECK_FLAG = '--check-upgrade'
