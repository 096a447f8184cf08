/**
 * Tests that pass under node:http and fail under the engine, one by one, each with the reason; README.md beside this file
 * has the same table. `nodes`: the versions of Node where the two differ, if not all.
 */
const HOST = 'sends `Host: http://example.com`, which is no host: 400 (RFC 9112 §3.2)'
const EMPTY = 'an empty Host names no host: 400 (RFC 9110 §4.2.1, RFC 9112 §3.2)'

exports.EXPLAINED = [
  { suite: 'express', title: 'res when accepting html should escape the url', because: HOST },
  {
    suite: 'express',
    title: 'res when accepting html should not render evil javascript links in anchor href (prevent XSS)',
    because: HOST,
  },
  { suite: 'express', title: 'res when accepting text should encode the url', because: HOST },
  {
    suite: 'on-finished',
    title: 'onFinished(req, listener) when requests pipelined should handle socket errors',
    because: 'an error in a pipelined request waits for the responses before it, and this test never sends them',
  },
  {
    suite: 'ws',
    title: 'WebSocketServer Connection establishing fails if the Upgrade header field value cannot be read',
    because: 'more fields than `maxHeadersCount` are 431; Node 20 leaves the rest out, later ones answer 431 as well',
    nodes: ['20'],
  },
  {
    suite: 'fastify',
    title: 'test/request-header-host.test.js > Return 200 when Host header is empty',
    because: EMPTY,
  },
  {
    suite: 'fastify',
    title: 'test/request-header-host.test.js > Return 200 when Host header is empty with trust proxy',
    because: EMPTY,
  },
  {
    suite: 'fastify',
    title: 'test/404s.test.js > Unknown method',
    because: 'a method that is not implemented is 501 (RFC 9110 §9.1), answered by the engine',
  },
  {
    suite: 'fastify',
    title: 'test/header-overflow.test.js > Should return 431 if URI is too long',
    because: 'a request line over its limit is 414 (RFC 9112 §3)',
  },
]
