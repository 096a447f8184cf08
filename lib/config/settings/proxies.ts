/** Settings: reverse proxies in front, and TLS. Pure. */
import { choice, optional, text } from '../codecs/basic.ts'
import { map } from '../codecs/collections.ts'
import { peers } from '../codecs/network.ts'
import { path } from '../codecs/paths.ts'
import { setting } from '../setting.ts'

export const PROXIES = {
  forwardedAllowIps: setting({
    type: peers,
    default: ['127.0.0.1', '::1'],
    variable: 'FORWARDED_ALLOW_IPS',
    effect: 'workers',
    worker: true,
    doc: 'Peers whose `secureSchemeHeaders` are believed: addresses, networks (`10.0.0.0/8`), or `*` for all. UNIX sockets always are. No header is changed or removed: this decides the scheme of the URL that a `fetch` app sees, and fields of the log.',
  }),
  secureSchemeHeaders: setting({
    flags: ['--secure-scheme-header'],
    type: map(/^[!#$%&'*+.^`|~\w-]+$/, 'the name of a header field'),
    default: { 'X-Forwarded-Protocol': 'ssl', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Ssl': 'on' },
    effect: 'workers',
    worker: true,
    doc: 'Header fields by which a proxy says that its client came by https, and the value that says so. When they are set here, requests in which they contradict each other are refused with 400.',
  }),
  proxyProtocol: setting({
    type: choice('off', 'v1', 'v2', 'auto'),
    default: 'off',
    effect: 'workers',
    worker: true,
    doc: "Expects the PROXY protocol at the start of each connection; the app's `remoteAddress` and `remotePort` are then the client's.",
  }),
  proxyAllowIps: setting({
    flags: ['--proxy-allow-from'],
    type: peers,
    default: ['127.0.0.1', '::1'],
    effect: 'workers',
    worker: true,
    doc: 'Peers that may speak the PROXY protocol; others get 403. UNIX sockets always may.',
  }),
}

export const TLS = {
  certfile: setting({
    type: optional(path),
    default: null,
    effect: 'workers',
    worker: true,
    doc: 'The certificate chain (PEM). With it connections are TLS, also those of an app that made a plain `http.Server`. Read again at each reload.',
  }),
  keyfile: setting({
    type: optional(path),
    default: null,
    effect: 'workers',
    worker: true,
    doc: "The certificate's private key (PEM); without it `certfile` holds the key too.",
  }),
  caCerts: setting({
    type: optional(path),
    default: null,
    effect: 'workers',
    worker: true,
    doc: 'Certificates (PEM) by which client certificates are judged.',
  }),
  certReqs: setting({
    type: choice('none', 'optional', 'required'),
    default: 'none',
    effect: 'workers',
    worker: true,
    doc: 'Whether clients are asked for a certificate, and whether one is needed.',
  }),
  ciphers: setting({
    type: optional(text('LIST', "a list of ciphers in OpenSSL's format")),
    default: null,
    effect: 'workers',
    worker: true,
    doc: "The ciphers to offer, in OpenSSL's format. Without it: Node's.",
  }),
  tlsMinVersion: setting({
    type: choice('TLSv1.2', 'TLSv1.3'),
    default: 'TLSv1.2',
    effect: 'workers',
    worker: true,
    doc: 'The oldest version of TLS to accept.',
  }),
}
