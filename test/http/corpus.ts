/** Every case as bytes in latin1, for tests that need material. */
import corpus from './cases/gunicorn-requests.json'
import { OWN_CASES } from './cases/index.ts'

const gunicorn = (corpus as readonly { raw_base64: string }[]).map(({ raw_base64 }) =>
  Buffer.from(raw_base64, 'base64').toString('latin1'),
)

/** What is short enough to be changed and cut thousands of times. */
export const TEXTS: readonly string[] = [...gunicorn, ...OWN_CASES.map(({ raw }) => raw)].filter(
  (text) => text.length < 2000,
)
