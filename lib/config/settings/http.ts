/** Settings: HTTP, its limits and how strict it is. Pure. */
import { choice, toggle } from '../codecs/basic.ts'
import { count, duration, size } from '../codecs/numbers.ts'
import { setting } from '../setting.ts'

const KB = 1024
const MB = 1024 * KB
const TB = 1024 ** 4

export const HTTP = {
  keepalive: setting({
    flags: ['--keep-alive'],
    type: duration(),
    default: '75s',
    effect: 'workers',
    worker: true,
    doc: "How long a connection may wait for its next request; above the 60 s of common load balancers, or they answer 502 now and then. An app's own `keepAliveTimeout` wins over the default, a value set here wins over all. 0: the connection closes after each answer.",
  }),
  limitRequestLine: setting({
    type: size(64, MB),
    default: '16kb',
    effect: 'workers',
    worker: true,
    doc: 'The longest request line; 414 above.',
  }),
  limitRequestFields: setting({
    type: count(1, 32_768),
    default: 100,
    effect: 'workers',
    worker: true,
    doc: 'How many header fields a request may have; 431 above.',
  }),
  limitRequestFieldSize: setting({
    type: size(64, MB),
    default: '16kb',
    effect: 'workers',
    worker: true,
    doc: 'The longest header field, name and value; 431 above.',
  }),
  limitRequestHead: setting({
    type: size(256, 16 * MB),
    default: '64kb',
    effect: 'workers',
    worker: true,
    doc: 'The longest request head, all lines together; 431 above.',
  }),
  limitRequestBody: setting({
    type: size(0, TB),
    default: 0,
    effect: 'workers',
    worker: true,
    doc: 'The longest request body; 413 above. 0: no limit, the app decides.',
  }),
  permitObsoleteFolding: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    worker: true,
    doc: 'Accepts header fields that go on in the next line (RFC 9112 §5.2), each fold replaced by one space, but not in fields that frame the message. Otherwise they are refused with 400. Proxies disagree about them, which is how requests are smuggled.',
  }),
  permitUnconventionalHttpMethod: setting({
    type: toggle,
    default: false,
    effect: 'workers',
    worker: true,
    doc: 'Accepts methods that Node does not know. Otherwise 501.',
  }),
  requireHostHeader: setting({
    type: toggle,
    default: true,
    effect: 'workers',
    worker: true,
    doc: 'Refuses HTTP/1.1 requests without a Host field (RFC 9112 §3.2). Some health checks send none: `--no-require-host-header`.',
  }),
  headerMap: setting({
    type: choice('keep', 'drop', 'refuse'),
    default: 'keep',
    effect: 'workers',
    worker: true,
    doc: 'What becomes of header fields with an underscore in their name: kept, left out, or refused with 400. Spellings of Host, Content-Length and Transfer-Encoding with an underscore are always refused.',
  }),
  disconnectGrace: setting({
    type: duration(),
    default: '3s',
    effect: 'workers',
    worker: true,
    doc: 'How long an app may still take for its answer when the client has closed its side of the connection and may still be waiting. A client that is known to be gone is not waited on. 0: nobody is.',
  }),
}
