/**
 * Tests that fail under the engine and not under node:http, and why: `title` is a part of the test's name. With
 * `passesWith` the suite is run once more with these options of the engine, and the test must pass then.
 */
const HOST = 'sends `Host: http://example.com`, which is no host: 400 (RFC 9112 §3.2)'
const GRACE = {
  passesWith: { disconnectGrace: 0 },
  because:
    'a client that closes before its answer looks like one that half-closes, which is waited on for disconnectGrace',
}

exports.EXPLAINED = [
  { suite: 'express', title: 'when accepting html should escape the url', because: HOST },
  { suite: 'express', title: 'should not render evil javascript links in anchor href', because: HOST },
  { suite: 'express', title: 'when accepting text should encode the url', because: HOST },
  { suite: 'express', title: '.sendFile(path, fn) should invoke the callback when client', ...GRACE },
  {
    suite: 'on-finished',
    title: 'onFinished(req, listener) when requests pipelined should handle socket errors',
    because: 'an error in a pipelined request waits for the responses before it, and this test never sends them',
  },
  { suite: 'on-finished', title: 'aborts should', ...GRACE },
  { suite: 'on-finished', title: 'should handle aborted requests', ...GRACE },
  {
    suite: 'fastify',
    title: 'Return 200 when Host header is empty',
    because: 'an empty Host is no host: 400 (RFC 9112 §3.2)',
  },
  {
    suite: 'fastify',
    title: 'Unknown method',
    because: 'a method that is not implemented is 501 (RFC 9110 §9.1), answered by the engine',
  },
  {
    suite: 'fastify',
    title: 'Should return 431 if URI is too long',
    because: 'a request line over its limit is 414 (RFC 9112 §3)',
  },
  { suite: 'fastify', title: 'header-overflow.test.js', because: 'the file of the test before' },
  { suite: 'fastify', title: 'client disconnect aborts', ...GRACE },
  { suite: 'fastify', title: 'handler-timeout.test.js', ...GRACE },
  { suite: 'fastify', title: 'hooks.test.js', ...GRACE },
]
