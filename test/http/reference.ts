/**
 * The same judgement on a whole head, written a second time for comparison: with regular expressions, line by line,
 * without tables, windows or memory. It knows no limits and answers only accepted or not.
 */
import { isIPv6 } from 'node:net'

export type ReferenceHead = {
  readonly method: string
  readonly target: string
  readonly minorVersion: number
  readonly rawHeaders: readonly string[]
  readonly framing: { readonly kind: string; readonly length?: number }
  readonly keepAlive: boolean
  readonly upgrade: boolean
  readonly expect: string
  readonly authority: string | null
}

export type ReferenceOptions = {
  readonly folding: boolean
  readonly anyMethod: boolean
  readonly methods: readonly string[]
}

/** The head that stands at the beginning of the text up to its first empty line; null where it is to be refused. */
export function referenceHead(text: string, options: ReferenceOptions): ReferenceHead | null {
  const head = text.replace(/^(\r\n)+/, '')
  const end = head.indexOf('\r\n\r\n')
  const [requestLine, ...fieldLines] = head.slice(0, end).split('\r\n')
  const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-"$-~]+) HTTP\/1\.(\d)$/.exec(requestLine!)
  if (line === null) return null
  const [, method, target, minor] = line as unknown as [string, string, string, string]
  if (!options.anyMethod && (/[a-z]/.test(method) || !options.methods.includes(method))) return null
  const authority = authorityOf(method, target)
  if (authority === undefined) return null
  const rawHeaders = rawHeadersOf(fieldLines, options.folding)
  if (rawHeaders === null) return null
  const semantics = semanticsOf(rawHeaders, minor === '0' ? 0 : 1)
  return semantics === null ? null : { method, target, rawHeaders, authority, ...semantics }
}

/** Null for no authority, undefined for a form that is refused. */
function authorityOf(method: string, target: string): string | null | undefined {
  if (method === 'CONNECT') {
    const port = /^(.+):(\d+)$/.exec(target)
    return port !== null && isHost(port[1]!, '') && Number(port[2]) > 0 && Number(port[2]) < 65536 ? null : undefined
  }
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return null
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/(?:[\w!$&'()*+,;=:.~%-]*@)?([^/?@]*?)(:\d*)?(?:[/?].*)?$/i.exec(target)
  return absolute !== null && isHost(absolute[1]!, '') ? absolute[1]! + (absolute[2] ?? '') : undefined
}

function isHost(host: string, port: string): boolean {
  const literal = /^\[(.*)\]$/.exec(host)
  const named = /^(?:[\w!$&'()*+,;=.~-]|%[0-9a-f]{2})+$/i.test(host)
  const future = literal !== null && /^v[0-9a-f]+\.[\w!$&'()*+,;=:.~-]+$/i.test(literal[1]!)
  const address = literal !== null && !literal[1]!.includes('%') && isIPv6(literal[1]!)
  return (named || future || address) && /^(:\d*)?$/.test(port)
}

function rawHeadersOf(lines: readonly string[], folding: boolean): string[] | null {
  const fields: { name: string; parts: string[] }[] = []
  for (const line of lines) {
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/.exec(line)
    if (field !== null) fields.push({ name: field[1]!, parts: [field[2]!] })
    else if (folding && fields.length > 0 && /^[ \t][\t\x20-\x7e\x80-\xff]*$/.test(line))
      fields.at(-1)!.parts.push(line)
    else return null
  }
  const unfoldable = /^(host|content-length|transfer-encoding|connection|upgrade|expect)$/i
  if (fields.some(({ name, parts }) => parts.length > 1 && unfoldable.test(name))) return null
  const trim = (text: string) => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
  return fields.flatMap(({ name, parts }) => [name, trim(parts.map(trim).join(' '))])
}

function semanticsOf(raw: readonly string[], minorVersion: 0 | 1) {
  const all = (name: string) => raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === name)
  const list = (name: string) =>
    all(name)
      .join(',')
      .toLowerCase()
      .split(',')
      .map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ''))
      .filter((element) => element !== '')
  const hosts = all('host')
  const lengths = all('content-length')
  const codings = all('transfer-encoding')
  if (raw.some((name, index) => index % 2 === 0 && /^(content_length|transfer_encoding)$/i.test(name))) return null
  if (hosts.length > 1 || (hosts.length === 0 && minorVersion === 1)) return null
  if (hosts.length === 1 && !isHost(...splitPort(hosts[0]!))) return null
  if (all('content-type').length > 1 || lengths.length > 1) return null
  if (lengths.length === 1 && !(/^\d+$/.test(lengths[0]!) && Number(lengths[0]) <= Number.MAX_SAFE_INTEGER)) return null
  if (codings.length > 0) {
    if (minorVersion === 0 || lengths.length > 0 || codings.length > 1 || !/^chunked$/i.test(codings[0]!)) return null
  }
  const length = Number(lengths[0] ?? 0)
  const options = list('connection')
  const expectations = list('expect')
  return {
    minorVersion,
    framing: codings.length > 0 ? { kind: 'chunked' } : length > 0 ? { kind: 'length', length } : { kind: 'none' },
    keepAlive: !options.includes('close') && (minorVersion === 1 || options.includes('keep-alive')),
    upgrade: minorVersion === 1 && options.includes('upgrade') && list('upgrade').some((name) => name !== 'h2c'),
    expect:
      minorVersion === 0 || expectations.length === 0
        ? 'none'
        : expectations.every((expectation) => expectation === '100-continue')
          ? 'continue'
          : 'other',
  }
}

function splitPort(value: string): [string, string] {
  const port = /:\d*$/.exec(value)
  return port === null || /^\[[^\]]*$/.test(value.slice(0, port.index))
    ? [value, '']
    : [value.slice(0, port.index), port[0]]
}
