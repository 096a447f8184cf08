/** How a codec judges a value, in a form that is easy to compare. */
import type { Checked, Codec } from '../../lib/config/codec.ts'
import { faultOf } from '../../lib/config/problems.ts'

export const BASE = '/base'

/** The value, or the text of every fault with its path (`x` is the setting's name). */
export function judge<Out, In>(codec: Codec<Out, In>, value: unknown): Out | string[] {
  const checked: Checked<Out> = codec.check(value, { base: BASE })
  if (checked.ok) return checked.value
  return checked.faults.map((fault) => {
    const { key, text } = faultOf('x', fault, { kind: 'default' })
    return `${key}: ${text}`
  })
}

/** The same for what a flag says. */
export const judgeText = <Out, In>(codec: Codec<Out, In>, text: string): Out | string[] =>
  judge(codec, codec.parse(text))

/** Whether it is refused, and its one error says what is allowed. */
export function refusal<Out, In>(codec: Codec<Out, In>, value: unknown): string {
  const judged = judge(codec, value)
  if (!Array.isArray(judged) || judged.length !== 1)
    throw new Error(`${JSON.stringify(value)} is accepted: ${JSON.stringify(judged)}`)
  return judged[0] as string
}
