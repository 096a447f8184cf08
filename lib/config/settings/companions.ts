/** Settings: companions, and what holds for those that do not say otherwise. Pure. */
import { optional } from '../codecs/basic.ts'
import { environment } from '../codecs/collections.ts'
import { duration } from '../codecs/numbers.ts'
import { controlSocket, path } from '../codecs/paths.ts'
import { signal } from '../codecs/process.ts'
import { errorOutput, output } from '../companion-fields.ts'
import { companionList } from '../companions.ts'
import { setting } from '../setting.ts'

export const COMPANIONS = {
  companions: setting({
    flags: [],
    type: companionList,
    default: [],
    effect: 'live',
    secret: true,
    doc: 'Processes beside the workers, kept alive by the companion manager; see the page on companions.',
  }),
  companionControlSocket: setting({
    flags: [],
    type: controlSocket,
    default: null,
    effect: 'live',
    doc: "The companion manager's control socket, for monocerosctl. Without it: beside the arbiter's. `false`: none.",
  }),
  companionCwd: setting({
    flags: [],
    type: optional(path),
    default: null,
    effect: 'live',
    doc: 'The working directory of companions. Without it: `chdir`.',
  }),
  companionEnv: setting({
    flags: [],
    type: environment,
    default: {},
    effect: 'live',
    secret: true,
    doc: 'Environment variables for companions, over `env`.',
  }),
  companionStopSignal: setting({
    flags: [],
    type: signal,
    default: 'SIGTERM',
    effect: 'live',
    doc: 'The signal that asks a companion to stop.',
  }),
  companionStopTimeout: setting({
    flags: [],
    type: duration(),
    default: '60s',
    effect: 'live',
    doc: 'How long a companion may take to stop; then it is killed.',
  }),
  companionReloadTimeout: setting({
    flags: [],
    type: duration(),
    default: '60s',
    effect: 'live',
    doc: 'How long a companion that is restarted may take to stop; then it is killed.',
  }),
  companionStartsecs: setting({
    flags: [],
    type: duration(),
    default: '1s',
    effect: 'live',
    doc: 'A companion counts as RUNNING when it has been alive so long.',
  }),
  companionRestartDelay: setting({
    flags: [],
    type: duration(),
    default: '5s',
    effect: 'live',
    doc: 'How long to wait after an unexpected exit before the companion is started again.',
  }),
  companionStdout: setting({
    flags: [],
    type: output,
    default: 'inherit',
    effect: 'live',
    doc: "Where companions' stdout goes: a file, or `inherit` for monoceros's own.",
  }),
  companionStderr: setting({
    flags: [],
    type: errorOutput,
    default: 'inherit',
    effect: 'live',
    doc: "Where companions' stderr goes: a file, `inherit` for monoceros's own, or `stdout` for where stdout goes.",
  }),
}
