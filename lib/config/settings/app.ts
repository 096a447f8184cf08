/** Settings: what is run, and what it sees of monoceros. Pure. */
import { appName } from '../app.ts'
import { argument, matching, optional, refusable, text, toggle } from '../codecs/basic.ts'
import { environment, list } from '../codecs/collections.ts'
import { path } from '../codecs/paths.ts'
import { setting } from '../setting.ts'

export const APP = {
  app: setting({
    flags: [],
    type: optional(appName),
    default: null,
    effect: 'workers',
    worker: true,
    doc: 'The app: the first argument that is no flag. `FILE` is run as `node FILE` would run it and listens by itself; of `FILE:EXPORT` the export is served: a `(req, res)` function, a server, a Fastify or Koa instance, an object with `fetch`, or a promise or factory of one of these.',
  }),
  args: setting({
    flags: [],
    type: list(argument),
    default: [],
    effect: 'workers',
    worker: true,
    doc: 'Arguments for the app: what follows `--` on the command line. The app finds them in `process.argv`.',
  }),
  chdir: setting({
    type: optional(path),
    default: null,
    effect: 'restart',
    doc: 'The working directory of all processes; relative paths in all settings start there. Without it: the directory that monoceros was started in. A symbolic link is followed anew at each reload.',
  }),
  env: setting({
    flags: ['-e', '--env'],
    type: environment,
    default: {},
    effect: 'workers',
    secret: true,
    doc: 'Environment variables for workers and companions, over those that monoceros was started with.',
  }),
  nodeOptions: setting({
    type: list(text('OPTIONS'), { separator: /\s+/ }),
    default: [],
    effect: 'workers',
    doc: "Options for the workers' Node, such as `--env-file=.env --max-old-space-size=512`. They are passed as arguments, so those that `NODE_OPTIONS` refuses work too.",
  }),
  inspect: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    doc: "Opens Node's inspector in each worker, at a port of its own that the log names, and switches `timeout` off.",
  }),
  waitReady: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    worker: true,
    doc: 'A worker counts as ready only when its app has called `process.send("ready")`, not as soon as it listens.',
  }),
  instanceVar: setting({
    type: refusable(matching(/^[A-Za-z_]\w*$/, 'NAME', 'the name of an environment variable')),
    default: 'NODE_APP_INSTANCE',
    effect: 'workers',
    worker: true,
    doc: 'The environment variable that tells a worker its slot: 0 for the first. `false` sets none.',
  }),
  clusterWorker: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    worker: true,
    doc: 'Makes `cluster.isWorker` true and gives `cluster.worker.id`, for apps that call `cluster.fork()` in a primary.',
  }),
}
