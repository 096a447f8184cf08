/** Run by `../leaks.test.ts` only: leaves a process behind in a session of its own. */
import { spawn } from 'node:child_process'

test('This test leaves a process behind.', () => {
  spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref()
})
