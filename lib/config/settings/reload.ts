/** Settings: preloading, reload, and leaving without losing a request. Pure. */
import { choice, matching, optional, toggle } from '../codecs/basic.ts'
import { list } from '../codecs/collections.ts'
import { count, duration } from '../codecs/numbers.ts'
import { path } from '../codecs/paths.ts'
import { setting } from '../setting.ts'

export const RELOAD = {
  preload: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    doc: 'Loads the app once and forks workers and `target` companions from it, so that they are born in milliseconds and share its memory.',
  }),
  preloadFallback: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    doc: 'Where `preload` is not possible, start workers the ordinary way, with a loud line in the log, instead of failing.',
  }),
  preloadSpare: setting({
    type: toggle,
    default: true,
    effect: 'workers',
    doc: 'With `preload`: keeps one process more, forked ahead, in which no code of the app has run since it was loaded; the next worker that is needed is made of it, and answers sooner.',
  }),
  preloadOpen: setting({
    type: choice('refuse', 'warn'),
    default: 'refuse',
    effect: 'workers',
    doc: 'What becomes of an app that has sockets, child processes or threads open when it has been loaded for `preload`: an error that names them after `bootTimeout`, or a warning after 2 seconds; what is open is shared by all workers then.',
  }),
  reforkAfter: setting({
    type: count(0, Number.MAX_SAFE_INTEGER),
    default: 0,
    effect: 'workers',
    doc: 'With `preload`: a worker that has served so many requests, and is quiet when it has drained, becomes the process that workers are forked from; the others are replaced one by one. The next one follows after twice as many. 0: never.',
  }),
  reloadStep: setting({
    type: count(0, 512),
    default: 0,
    effect: 'live',
    doc: 'At a reload, how many new workers are started at a time. 0: all at once.',
  }),
  readyPath: setting({
    type: optional(matching(/^\/[!-~]*$/, 'PATH', 'a path that begins with "/", such as "/health"')),
    default: null,
    effect: 'live',
    doc: 'A new generation is good only when each of its workers has answered a GET of this path with a status below 400.',
  }),
  reloadCompanions: setting({
    type: choice('changed', 'always'),
    default: 'always',
    effect: 'live',
    doc: "Whether a reload restarts the companions each time, or only when their settings or the app's file have changed.",
  }),
  stopDelay: setting({
    type: duration(),
    default: 0,
    effect: 'live',
    doc: 'At a stop, for how long connections are still accepted before the listeners close, so that a load balancer can take the address away first (Kubernetes: some seconds).',
  }),
  drainIdle: setting({
    type: duration(),
    default: '5s',
    effect: 'workers',
    worker: true,
    doc: 'For how long a worker that leaves keeps idle keep-alive connections; a request that comes on one is answered with `Connection: close`.',
  }),
  drainStreams: setting({
    type: duration(),
    default: '10s',
    effect: 'workers',
    worker: true,
    doc: 'For how long a worker that leaves keeps WebSockets, server-sent events and other answers that have no end; the app hears a `drain` event first.',
  }),
  reload: setting({
    type: toggle,
    default: false,
    effect: 'restart',
    worker: true,
    doc: 'For development: reloads when a file that the app has imported, or the config file, changes.',
  }),
  reloadExtraFiles: setting({
    flags: ['--reload-extra-file'],
    type: list(path),
    default: [],
    effect: 'live',
    doc: 'More files to watch for `reload`, such as templates.',
  }),
}
