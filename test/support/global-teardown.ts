/** After all tests: whatever they started must be gone. */
import { removeCopy } from './everybodys.ts'
import { endLeaks, MARK } from './leaks.ts'

/** Milliseconds that a process whose parent has just been killed gets to notice it. */
const PATIENCE = 5_000

module.exports = async function tearDown(): Promise<void> {
  removeCopy()
  const leaks = await endLeaks(process.env[MARK]!, PATIENCE)
  if (leaks.length === 0) return
  const lines = leaks.map(({ pid, command, test }) => `  ${pid} ${command} (started by: ${test})`)
  throw new Error(`${leaks.length} processes outlived the tests and were killed:\n${lines.join('\n')}`)
}
