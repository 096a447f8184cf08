/** What people know from gunicorn and look for here, and what to do instead. Pure. */

const DAEMON = 'let systemd, a container or a shell keep it in the background'
const CLASS = 'workers are Node processes, of one kind'
const THREADS = 'a worker serves all its connections in one event loop'

/** By flag. */
export const UNOFFERED_FLAGS: Readonly<Record<string, string>> = {
  '-D': DAEMON,
  '--daemon': DAEMON,
  '-k': CLASS,
  '--worker-class': CLASS,
  '--threads': THREADS,
  '--worker-connections': THREADS,
  '--worker-tmp-dir': 'the heartbeat is in shared memory',
  '-R': 'see --capture-output',
  '--enable-stdio-inheritance': 'see --capture-output',
  '--strip-header-spaces': 'it lets requests be smuggled',
  '--permit-unconventional-http-version': 'HTTP/1.0 and 1.1 are served',
}

/** By name in a config file. */
export const UNOFFERED_KEYS: Readonly<Record<string, string>> = {
  daemon: DAEMON,
  workerClass: CLASS,
  threads: THREADS,
  workerConnections: THREADS,
}
