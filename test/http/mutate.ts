/** Requests that are almost right: cases changed the way smugglers change them, and plain noise. */
import type { Random } from '../support/random.ts'

const TOKENS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '_',
  '"',
  '\\',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '1',
  '9007199254740992',
  'fffffffffffff',
  'chunked',
  'Chunked',
  'identity, chunked',
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/2.0',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  '0\r\n\r\n',
  '3;a=b\r\nabc\r\n',
]

const LINES = [
  'Host: a',
  'Host: [::1]:80',
  'Content-Length: 3',
  'Content-Length: 0',
  'content-length:3',
  'Content_Length: 3',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:\tchunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Content-Type: text/plain',
  'Cookie: a=b; c=d',
  'X-Forwarded-Proto: https',
  ' folded',
  '\tfolded',
  'X : y',
  'X_Y: z',
  '',
]

const BYTES = '\0\t\n\r !"#%,-/0123456789:;=@AZ[\\]_az{|}~\x7f\x80\x85\xa0\xff'

type Change = (text: string, random: Random, others: readonly string[]) => string

const somewhere = (text: string, random: Random) => random.below(text.length + 1)

const CHANGES: readonly Change[] = [
  (text, random) => splice(text, somewhere(text, random), 0, random.pick(TOKENS)),
  (text, random) => splice(text, somewhere(text, random), 1, BYTES[random.below(BYTES.length)]!),
  (text, random) => splice(text, somewhere(text, random), 0, BYTES[random.below(BYTES.length)]!),
  (text, random) => splice(text, somewhere(text, random), 1, String.fromCharCode(random.below(256))),
  (text, random) => splice(text, somewhere(text, random), 1 + random.below(8), ''),
  (text, random) => text.slice(0, somewhere(text, random)),
  (text, random) => {
    const from = somewhere(text, random)
    return splice(text, from, 0, text.slice(from, from + random.below(64)).repeat(1 + random.below(3)))
  },
  (text, random, others) => text.slice(0, somewhere(text, random)) + random.pick(others).slice(-random.below(200)),
  (text, random, others) => text + random.pick(others),
  (text, random) => inLines(text, (lines) => lines.splice(1 + random.below(lines.length), 0, random.pick(LINES))),
  (text, random) => inLines(text, (lines) => lines.splice(1 + random.below(lines.length), 0, random.pick(LINES))),
  (text, random) => inLines(text, (lines) => lines.splice(random.below(lines.length), 1)),
  (text, random) => inLines(text, (lines) => lines.splice(random.below(lines.length), 0, random.pick(lines))),
  (text, random) =>
    inLines(text, (lines) => {
      const index = random.below(lines.length)
      lines[index] = random.unit() < 0.5 ? lines[index]!.toUpperCase() : lines[index]!.toLowerCase()
    }),
  (text, random) =>
    text.replace(/\r\n/g, (end) => (random.unit() < 0.1 ? random.pick(['\n', '\r', '\r\r\n', '\r\n ']) : end)),
]

/** One to four changes of one of the texts; now and then bytes without any sense. */
export function mutate(texts: readonly string[], random: Random): string {
  if (random.unit() < 0.02) return noise(random)
  let text = random.pick(texts)
  for (let left = 1 + random.below(4); left > 0; left--) text = random.pick(CHANGES)(text, random, texts)
  return text
}

const noise = (random: Random): string =>
  Array.from({ length: random.below(200) }, () => String.fromCharCode(random.below(256))).join('')

const splice = (text: string, from: number, remove: number, insert: string): string =>
  text.slice(0, from) + insert + text.slice(from + remove)

function inLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split('\r\n')
  change(lines)
  return lines.join('\r\n')
}
