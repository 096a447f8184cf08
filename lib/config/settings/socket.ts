/** Settings: listeners. Pure. */

import { toggle } from '../codecs/basic.ts'
import { addresses } from '../codecs/network.ts'
import { count, mode } from '../codecs/numbers.ts'
import { setting } from '../setting.ts'

export const SOCKET = {
  bind: setting({
    flags: ['-b', '--bind'],
    type: addresses,
    default: [],
    effect: 'restart',
    doc: "Where to serve: `host:port`, `[v6]:port`, `:port`, `unix:PATH` or `fd://N`, several with commas or by repeating the flag. The app's first http server is led there. Without it an app that listens by itself gets the address it asks for, and an export is served on `0.0.0.0:$PORT`, or on `127.0.0.1:8000` where `PORT` is not set.",
  }),
  backlog: setting({
    type: count(1, 65_535),
    default: 2048,
    effect: 'restart',
    worker: true,
    doc: 'How many connections may wait in the kernel until a worker accepts them (listen(2)). The kernel caps it at net.core.somaxconn.',
  }),
  reusePort: setting({
    type: toggle,
    default: false,
    effect: 'restart',
    worker: true,
    doc: 'Opens one listener for each worker (SO_REUSEPORT), so that the kernel deals connections out, instead of one that all share.',
  }),
  socketMode: setting({
    type: mode(),
    default: '0666',
    effect: 'restart',
    doc: 'Permission bits of UNIX sockets to serve on, whatever `umask` says.',
  }),
}
