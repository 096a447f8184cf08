/** Settings: logs and metrics. Pure. */
import { accessFormatProblem } from '../../log/access.ts'
import { FACILITIES, type Facility } from '../../log/syslog.ts'
import { choice, judged, optional, text, toggle } from '../codecs/basic.ts'
import { address, collector } from '../codecs/network.ts'
import { logFile } from '../codecs/paths.ts'
import { setting } from '../setting.ts'

const FACILITY_NAMES = Object.keys(FACILITIES) as [Facility, ...Facility[]]

export const LOGGING = {
  errorlog: setting({
    flags: ['--error-logfile', '--log-file'],
    type: logFile,
    default: '-',
    effect: 'live',
    worker: true,
    doc: 'Where monoceros writes its log: a file, or `-` for stderr. Opened anew on USR1.',
  }),
  loglevel: setting({
    flags: ['--log-level'],
    type: choice('debug', 'info', 'warning', 'error', 'critical'),
    default: 'info',
    effect: 'live',
    worker: true,
    doc: 'How much is logged.',
  }),
  logFormat: setting({
    type: choice('auto', 'text', 'json'),
    default: 'auto',
    effect: 'live',
    worker: true,
    doc: 'One line of text, or one JSON object, for each event. `auto`: text.',
  }),
  captureOutput: setting({
    type: toggle,
    default: true,
    effect: 'workers',
    worker: true,
    doc: "Where `errorlog` is a file, the workers' stdout and stderr go there too.",
  }),
  accesslog: setting({
    flags: ['--access-logfile'],
    type: optional(logFile),
    default: null,
    effect: 'workers',
    worker: true,
    doc: 'A log of requests: a file, or `-` for stdout. Opened anew on USR1.',
  }),
  accessLogFormat: setting({
    flags: ['--access-logformat'],
    type: judged(text('FORMAT', 'a format such as "%(h)s %(r)s %(s)s", or "json"'), accessFormatProblem),
    default: '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
    effect: 'workers',
    worker: true,
    doc: "The line of the access log, with gunicorn's atoms: `%(h)s` the client, `%(r)s` the request line, `%(s)s` the status, `%(M)s` milliseconds, `%({header}i)s` a request header … `json`: one object with all of them.",
  }),
  syslog: setting({
    flags: ['--log-syslog'],
    type: toggle,
    default: false,
    effect: 'restart',
    worker: true,
    doc: "Sends monoceros' log to syslog as well, and the access log where there is one.",
  }),
  syslogAddr: setting({
    flags: ['--log-syslog-to'],
    type: collector,
    default: 'unix:///dev/log',
    effect: 'restart',
    worker: true,
    doc: 'The syslog server: `unix://PATH`, `udp://host:port` or `tcp://host:port`.',
  }),
  syslogPrefix: setting({
    flags: ['--log-syslog-prefix'],
    type: optional(text('NAME')),
    default: null,
    effect: 'restart',
    worker: true,
    doc: 'The program name in syslog records. Without it: `procName`, else `monoceros`.',
  }),
  syslogFacility: setting({
    flags: ['--log-syslog-facility'],
    type: choice(...FACILITY_NAMES),
    default: 'user',
    effect: 'restart',
    worker: true,
    doc: 'The facility of syslog records.',
  }),
}

export const METRICS = {
  metricsBind: setting({
    type: optional(address),
    default: null,
    effect: 'restart',
    worker: true,
    doc: 'Where the arbiter serves metrics in Prometheus format at `/metrics`, and `/live` and `/ready` for Kubernetes: an address as for `bind`.',
  }),
  statsdHost: setting({
    type: optional(collector),
    default: null,
    effect: 'restart',
    worker: true,
    doc: 'A statsd server to send metrics to: `host:port` or `unix://PATH`.',
  }),
  statsdPrefix: setting({
    type: optional(text('PREFIX')),
    default: null,
    effect: 'restart',
    doc: 'What the names of statsd metrics begin with.',
  }),
  dogstatsdTags: setting({
    type: optional(text('TAGS', 'tags with commas, such as "env:prod,team:web"')),
    default: null,
    effect: 'restart',
    doc: 'Tags for all statsd metrics, with commas, in the form that Datadog reads.',
  }),
}
