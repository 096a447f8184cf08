/** What the clients of `http.js` send, as the bytes of one request, how often in one packet, and what is in them. */
const BROWSER = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-US,en;q=0.9,de;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Cookie: 'session=9f8e7d6c5b4a39281706f5e4d3c2b1a0; theme=dark; consent=1',
  'Upgrade-Insecure-Requests': '1',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
}

const ITEM = JSON.stringify({ name: 'monoceros', tags: ['one', 'two'], text: 'x'.repeat(1024 - 62) })

const LOADS = {
  bare: load({}),
  browser: load({ fields: BROWSER }),
  json: load({ method: 'POST', fields: { 'Content-Type': 'application/json' }, body: ITEM }),
  large: load({ target: '/large' }),
  pipelined: load({ times: 16 }),
}

function load({ method = 'GET', target = '/', fields = {}, body = '', times = 1 }) {
  const lines = Object.entries({ Host: '127.0.0.1', ...fields, ...(body && { 'Content-Length': body.length }) })
  const request = `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
  return { request, target, body, times, rawHeaders: lines.flat().map(String) }
}

module.exports = { LOADS }
