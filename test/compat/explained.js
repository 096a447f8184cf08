/** Tests that pass under node:http and fail under the engine, each with the reason; see README.md beside this file. */
const HOST = 'sends `Host: http://example.com`, which is no host: 400 (RFC 9112 §3.2)'

exports.EXPLAINED = [
  { suite: 'express', title: 'res when accepting html should escape the url', because: HOST },
  {
    suite: 'express',
    title: 'res when accepting html should not render evil javascript links in anchor href (prevent XSS)',
    because: HOST,
  },
  { suite: 'express', title: 'res when accepting text should encode the url', because: HOST },
]
