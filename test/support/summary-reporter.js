/**
 * Writes "PASSED FAILED" to the file that MONOCEROS_TEST_SUMMARY names, for `.ci/run`. A test that was skipped counts as
 * failed, and so does a file that could not be run.
 */
const { writeFileSync } = require('node:fs')

module.exports = class SummaryReporter {
  onRunComplete(_, results) {
    const file = process.env.MONOCEROS_TEST_SUMMARY
    if (!file) return
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results
    const failed = numFailedTests + numPendingTests + numTodoTests + numRuntimeErrorTestSuites
    writeFileSync(file, `${numPassedTests} ${failed}\n`)
  }
}
