/** The grammar of chunk extensions (RFC 9112 §7.1.1), a byte at a time. They are checked and ignored. */
import { BACKSLASH, CLASS, CR, EQUALS, HTAB, QUOTE, QUOTED, SEMICOLON, SP, TOKEN, VALUE } from './bytes.ts'

/** Behind `;`, no name yet. */
export const BEFORE_NAME = 0
const IN_NAME = 1
const AFTER_NAME = 2
const BEFORE_VALUE = 3
const IN_VALUE = 4
const IN_QUOTES = 5
const AFTER_BACKSLASH = 6
const AFTER_VALUE = 7

/** The byte is the CR behind complete extensions. */
export const EXTENSIONS_END = -1
/** The byte may not stand there. */
export const EXTENSIONS_WRONG = -2

/** The state after `byte`, or one of the two ends. */
export function stepExtension(state: number, byte: number): number {
  const token = (CLASS[byte]! & TOKEN) !== 0
  const blank = byte === SP || byte === HTAB
  switch (state) {
    case BEFORE_NAME:
      return token ? IN_NAME : blank ? BEFORE_NAME : EXTENSIONS_WRONG
    case IN_NAME:
      return token ? IN_NAME : behind(byte, blank, AFTER_NAME)
    case AFTER_NAME:
      return behind(byte, blank, AFTER_NAME)
    case BEFORE_VALUE:
      if (byte === QUOTE) return IN_QUOTES
      return token ? IN_VALUE : blank ? BEFORE_VALUE : EXTENSIONS_WRONG
    case IN_VALUE:
      return token ? IN_VALUE : behindValue(byte, blank)
    case IN_QUOTES:
      if (byte === QUOTE) return AFTER_VALUE
      if (byte === BACKSLASH) return AFTER_BACKSLASH
      return (CLASS[byte]! & QUOTED) !== 0 ? IN_QUOTES : EXTENSIONS_WRONG
    case AFTER_BACKSLASH:
      return (CLASS[byte]! & VALUE) !== 0 ? IN_QUOTES : EXTENSIONS_WRONG
    default:
      return behindValue(byte, blank)
  }
}

function behind(byte: number, blank: boolean, stay: number): number {
  return byte === EQUALS ? BEFORE_VALUE : blank ? stay : boundary(byte)
}

function behindValue(byte: number, blank: boolean): number {
  return blank ? AFTER_VALUE : boundary(byte)
}

function boundary(byte: number): number {
  return byte === SEMICOLON ? BEFORE_NAME : byte === CR ? EXTENSIONS_END : EXTENSIONS_WRONG
}
