/** Request heads to measure with, as clients send them. */

const lines = (...fields) => Buffer.from(`${fields.join('\r\n')}\r\n\r\n`, 'latin1')

const BROWSER = [
  'GET /products/1842?page=2&sort=price HTTP/1.1',
  'Host: shop.example.com',
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7',
  'Cache-Control: max-age=0',
  'Upgrade-Insecure-Requests: 1',
  'Referer: https://shop.example.com/products?page=1',
]

/** A cookie header of some 1.2 KB, as sites with consent and analytics have. */
const COOKIE = Array.from({ length: 18 }, (_, index) => {
  return `_ck${index}=${Buffer.from(`value ${index} of a cookie that somebody set`).toString('base64')}`
}).join('; ')

/** By name: bytes of one head each. */
exports.HEADS = {
  bare: lines('GET / HTTP/1.1', 'Host: 127.0.0.1:8000'),
  browser: lines(...BROWSER),
  cookies: lines(...BROWSER, 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate', `Cookie: ${COOKIE}`),
}

/** The same head with another id, session and referer each time, so that nothing can be remembered as a whole. */
exports.variants = (head, count) =>
  Array.from({ length: count }, (_, index) => {
    const text = head.toString('latin1')
    const changed = text
      .replace('/products/1842', `/products/${1000 + index}`)
      .replace('products?page=1', `products?page=${index}`)
      .replace('_ck3=', `_ck3=${index.toString(36).padStart(4, '0')}`)
    return Buffer.from(changed, 'latin1')
  })

/** The same head with every value another each time: no line ever comes again soon. */
exports.strangers = (head, count) =>
  Array.from({ length: count }, (_, index) => {
    const [line, ...fields] = head.toString('latin1').trimEnd().split('\r\n')
    const mark = index.toString(36).padStart(2, '0')
    const changed = fields.map((field) => (field.startsWith('Connection') ? field : `${field.slice(0, -2)}${mark}`))
    return lines(line, ...changed)
  })
