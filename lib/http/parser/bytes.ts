/**
 * What each byte may be in a request: one table of 256 entries, a bit for each grammar (RFC 9110 §5.6.2, RFC 9112).
 * A scanner reads `CLASS[byte] & TOKEN` and needs no comparison more.
 */

/** The methods of a Node Buffer that the scanners use; `latin1Slice` stands in no type but on every Buffer. */
export type Bytes = Buffer & { latin1Slice(start: number, end: number): string }

/** tchar, RFC 9110 §5.6.2. */
export const TOKEN = 1
/** What a method may consist of unless unconventional ones are permitted: tchar without a to z. */
export const METHOD = 2
/** A byte of the request target: 0x21 to 0x7E without `#`; percent escapes are not checked. */
export const TARGET = 4
/** A byte of a field value: HTAB, 0x20 to 0x7E, obs-text (RFC 9110 §5.5). */
export const VALUE = 8
/** unreserved and sub-delims, of which a reg-name consists besides percent escapes (RFC 3986 §3.2.2). */
export const REG_NAME = 16
/** DIGIT. */
export const DIGIT = 32
/** HEXDIG, either case. */
export const HEX = 64
/** Inside a quoted-string: qdtext (RFC 9110 §5.6.4). */
export const QUOTED = 128

export const HTAB = 9
export const LF = 10
export const CR = 13
export const SP = 32
export const QUOTE = 34
export const PERCENT = 37
export const SLASH = 47
export const ZERO = 48
export const COLON = 58
export const SEMICOLON = 59
export const EQUALS = 61
export const BACKSLASH = 92

/** The bits of every byte. */
export const CLASS: Uint8Array = table()

function table(): Uint8Array {
  const bits = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte)
    const is = (pattern: RegExp, bit: number) => (pattern.test(char) ? bit : 0)
    bits[byte] =
      is(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/, TOKEN) |
      is(/[!#$%&'*+\-.^_`|~0-9A-Z]/, METHOD) |
      is(/[!-~]/, char === '#' ? 0 : TARGET) |
      is(/[\t\x20-\x7e\x80-\xff]/, VALUE) |
      is(/[-A-Za-z0-9._~!$&'()*+,;=]/, REG_NAME) |
      is(/[0-9]/, DIGIT) |
      is(/[0-9A-Fa-f]/, HEX) |
      is(/[\t !#-[\]-~\x80-\xff]/, QUOTED)
  }
  return bits
}

/** The value of a HEXDIG. */
export function hexValue(byte: number): number {
  return byte <= 57 ? byte - ZERO : (byte | 32) - 87
}

/** SP or HTAB. */
export const isBlank = (byte: number): boolean => byte === SP || byte === HTAB

/** Without the SP and HTAB around it, and no other white space: 0xA0 is obs-text. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}
