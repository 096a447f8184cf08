/** Settings: the arbiter as a process of the system. Pure. */
import { matching, optional } from '../codecs/basic.ts'
import { mode } from '../codecs/numbers.ts'
import { controlSocket, path } from '../codecs/paths.ts'
import { account } from '../codecs/process.ts'
import { setting } from '../setting.ts'

export const SERVER = {
  pidfile: setting({
    flags: ['-p', '--pid'],
    type: optional(path),
    default: null,
    effect: 'restart',
    doc: "A file for the arbiter's process id, locked for as long as it runs.",
  }),
  user: setting({
    flags: ['-u', '--user'],
    type: optional(account('user')),
    default: null,
    effect: 'restart',
    doc: 'The user that workers and companions run as, with its supplementary groups. Needs to be started as root.',
  }),
  group: setting({
    flags: ['-g', '--group'],
    type: optional(account('group')),
    default: null,
    effect: 'restart',
    doc: "The group that workers and companions run as. Without it: the user's own.",
  }),
  umask: setting({
    flags: ['-m', '--umask'],
    type: optional(mode()),
    default: null,
    effect: 'restart',
    doc: 'Permission bits that files made by workers and companions do not get. Without it: as monoceros was started.',
  }),
  procName: setting({
    flags: ['-n', '--name'],
    type: optional(matching(/^[\w][\w .:@+-]{0,63}$/, 'NAME', 'a name of at most 64 letters, digits and " .:@+-_"')),
    default: null,
    effect: 'restart',
    worker: true,
    doc: 'The name in `ps` and `top`, and of the folder that the control sockets stand in.',
  }),
  controlSocket: setting({
    type: controlSocket,
    default: null,
    effect: 'restart',
    doc: "The arbiter's control socket, for monocerosctl. Without it: in `$RUNTIME_DIRECTORY`, else in `$XDG_RUNTIME_DIR/monoceros/`, else in a folder of the user's own under the temporary one. `false`: none.",
  }),
}
