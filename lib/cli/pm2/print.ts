/** Plain data as the text of a config file. Pure. */

const WIDTH = 100

/** As an ES module that exports it. */
export const moduleText = (settings: object): string => `export default ${literal(settings, '')}\n`

/** On one line where it fits and is no list of objects. */
function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const inner = `${indent}  `
  const parts = Array.isArray(value)
    ? value.map((one) => literal(one, inner))
    : Object.entries(value).map(([key, one]) => `${keyText(key)}: ${literal(one, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : ['{ ', ' }']
  const line = `${open}${parts.join(', ')}${close}`
  const fits = indent !== '' && line.length <= WIDTH && !line.includes('\n')
  if (fits || parts.length === 0) return line.replace(/^\{ {2}\}$/, '{}')
  return `${open!.trim()}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close!.trim()}`
}

const keyText = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) && key !== '__proto__' ? key : quoted(key))

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
