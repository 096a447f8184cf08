/** What is wrong with the settings, and how it is said: one line each. Pure. */
import type { Fault } from './codec.ts'
import { show } from './foreign.ts'

/** Where a value came from. */
export type Source =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string }
  /** `flag` where the variable holds flags (`MONOCEROS_CMD_ARGS`). */
  | { readonly kind: 'env'; readonly variable: string; readonly flag?: string }
  | { readonly kind: 'flag'; readonly flag: string }

export type Problem = {
  /** The setting's name with the way to the wrong part, such as `companions[2].stopSignal`; null: no setting's. */
  readonly key: string | null
  readonly source: Source
  /** What is wrong and what is allowed. */
  readonly text: string
}

/** One line: where, which, what, and what is allowed. */
export function describeProblem({ key, source, text }: Problem): string {
  const place = describeSource(source)
  if (key === null || (source.kind === 'env' && source.flag === undefined)) return `${place}: ${text}`
  return source.kind === 'file' ? `${place}: ${key}: ${text}` : `${place} (${key}): ${text}`
}

/** `--workers`, `WEB_CONCURRENCY`, `MONOCEROS_CMD_ARGS --workers`, a file's name, `default`. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'default':
      return 'default'
    case 'file':
      return source.file
    case 'env':
      return source.flag === undefined ? source.variable : `${source.variable} ${source.flag}`
    case 'flag':
      return source.flag
  }
}

/** A fault of the setting `name` as a problem. */
export function faultOf(name: string, fault: Fault, source: Source): Problem {
  return { key: name + steps(fault.path), source, text: sentence(fault) }
}

const steps = (path: Fault['path']): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : /^[\w$]+$/.test(step) ? `.${step}` : `["${step}"]`))
    .join('')

function sentence(fault: Fault): string {
  switch (fault.kind) {
    case 'value':
      return `got ${fault.secret ? 'a value that is not shown' : show(fault.value)}; allowed: ${fault.allowed}`
    case 'missing':
      return `is missing; needed: ${fault.allowed}`
    case 'unknown':
      return `no such setting${didYouMean(fault.near)}`
  }
}

/** The end of a sentence about something unknown. */
export const didYouMean = (near: string | null): string => (near === null ? '' : `; did you mean "${near}"?`)
