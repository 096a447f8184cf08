/** A reporter for node:test: one line of JSON for each test, with its file and the names of the tests around it. */
const { relative, resolve } = require('node:path')

module.exports = async function* report(source) {
  const running = new Map()
  for await (const { type, data } of source) {
    if (!['test:start', 'test:pass', 'test:fail'].includes(type)) continue
    const file = data.file ? relative(process.cwd(), data.file) : ''
    const names = running.get(file) ?? []
    names.length = data.nesting
    names.push(data.name)
    running.set(file, names)
    if (type === 'test:start') continue
    const skipped = data.skip !== undefined || data.todo !== undefined
    // A test fails with its subtests; only they say what is wrong.
    const result = skipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const derived = result === 'failed' && data.details?.error?.failureType === 'subtestsFailed'
    // A file that ends badly is reported like a test.
    const whole = data.nesting === 0 && data.file !== undefined && resolve(data.name) === resolve(data.file)
    const name = whole ? file : [file, ...names].join(' > ')
    yield `${JSON.stringify({ file, name, result, derived, whole })}\n`
  }
}
