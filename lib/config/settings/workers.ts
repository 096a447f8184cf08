/** Settings: workers, their number and their life. Pure. */
import { count, countOr, duration, size } from '../codecs/numbers.ts'
import { setting } from '../setting.ts'

const MB = 1024 ** 2
const TB = 1024 ** 4

export const WORKERS = {
  workers: setting({
    flags: ['-w', '--workers'],
    type: countOr(1, 512, 'auto'),
    default: 1,
    variable: 'WEB_CONCURRENCY',
    effect: 'live',
    doc: 'How many workers. `auto`: as many as the CPUs that the cgroup gives, and at most its memory divided by 256 MB. More than one breaks sessions and schedules that an app keeps in its own memory.',
  }),
  timeout: setting({
    flags: ['-t', '--timeout'],
    type: duration(),
    default: '30s',
    effect: 'live',
    worker: true,
    doc: 'A worker whose event loop gives no sign of life for so long has its JavaScript stack logged, is killed and replaced. 0 switches this off.',
  }),
  gracefulTimeout: setting({
    type: duration(),
    default: '30s',
    effect: 'live',
    worker: true,
    doc: 'How long a worker that is told to leave may take to finish what is in flight; then it is killed.',
  }),
  bootTimeout: setting({
    type: duration('more than nothing'),
    default: '1m',
    effect: 'live',
    worker: true,
    doc: 'How long a worker may take until it is ready; then its boot has failed.',
  }),
  startsecs: setting({
    type: duration(),
    default: '1s',
    effect: 'live',
    doc: 'A new worker counts as good when it has stayed up so long after it was ready.',
  }),
  restartDelay: setting({
    type: duration(),
    default: '250ms',
    effect: 'live',
    doc: 'How long a slot waits after a crash before it starts a worker again. Doubled with each crash in a row, with jitter, up to `restartDelayMax`; the first crash of a worker that had been good is answered at once.',
  }),
  restartDelayMax: setting({
    type: duration('more than nothing'),
    default: '30s',
    effect: 'live',
    doc: 'The longest wait between two crashes.',
  }),
  crashLimit: setting({
    type: count(0, 10_000),
    default: 10,
    effect: 'live',
    doc: 'A slot whose worker crashes more often than this within `crashWindow` waits until the window has room again. 0: no limit.',
  }),
  crashWindow: setting({
    type: duration('more than nothing'),
    default: '1m',
    effect: 'live',
    doc: 'The time in which crashes are counted for `crashLimit`.',
  }),
  maxRequests: setting({
    type: count(0, Number.MAX_SAFE_INTEGER),
    default: 0,
    effect: 'workers',
    worker: true,
    doc: 'A worker that has served so many requests is replaced, then drained. 0: never.',
  }),
  maxRequestsJitter: setting({
    type: count(0, Number.MAX_SAFE_INTEGER),
    default: 0,
    effect: 'workers',
    worker: true,
    doc: 'Up to so many requests more, chosen by chance for each worker, so that they are not all replaced at once.',
  }),
  maxMemory: setting({
    type: size(0, TB),
    default: 0,
    effect: 'workers',
    worker: true,
    doc: `A worker that uses more memory than this (its share of what it shares counted once) is replaced, then drained, one worker at a time. 0: no limit.`,
  }),
}

/** The least memory for which `workers: auto` starts a worker more. */
export const MEMORY_PER_WORKER = 256 * MB
