/** What a parser must know of the settings, made once a server. */
import { DEFAULT_LIMITS, type Limits } from '../limits.ts'

export type RuleOptions = {
  readonly limits?: Limits
  /** The methods that are implemented: pass `http.METHODS`. */
  readonly methods?: Iterable<string>
  /** Accepts every token as a method. */
  readonly permitUnconventionalHttpMethod?: boolean
  /** Accepts obs-fold (RFC 9112 §5.2) and replaces each fold by one space. */
  readonly permitObsoleteFolding?: boolean
  /** False: a 1.1 request may come without Host. */
  readonly requireHostHeader?: boolean
  /** What happens to field names with `_`. */
  readonly headerMap?: HeaderMap
}

export type HeaderMap = 'keep' | 'drop' | 'refuse'

export type Rules = {
  readonly line: number
  readonly fields: number
  readonly fieldSize: number
  readonly head: number
  readonly body: number
  readonly methods: ReadonlySet<string>
  readonly anyMethod: boolean
  readonly folding: boolean
  readonly requireHost: boolean
  readonly headerMap: HeaderMap
}

/** `http.METHODS` of Node 22 to 26. */
const METHODS =
  'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY ' +
  'OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK ' +
  'UNLOCK UNSUBSCRIBE'

/** Far above any head, and small enough that sums with offsets stay 31-bit integers. */
const UNLIMITED = 1 << 29

export function rulesOf(options: RuleOptions = {}): Rules {
  const limits = options.limits ?? DEFAULT_LIMITS
  const bytes = (limit: number) => (limit > 0 ? Math.min(limit, UNLIMITED) : UNLIMITED)
  return {
    line: bytes(limits.limitRequestLine),
    fields: bytes(limits.limitRequestFields),
    fieldSize: Math.max(2, bytes(limits.limitRequestFieldSize)),
    head: bytes(limits.limitRequestHead),
    body: limits.limitRequestBody > 0 ? limits.limitRequestBody : Number.POSITIVE_INFINITY,
    methods: new Set(options.methods ?? METHODS.split(' ')),
    anyMethod: options.permitUnconventionalHttpMethod ?? false,
    folding: options.permitObsoleteFolding ?? false,
    requireHost: options.requireHostHeader ?? true,
    headerMap: options.headerMap ?? 'keep',
  }
}
