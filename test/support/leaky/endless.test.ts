/** Run by `../leaks.test.ts` only: starts a process in a session of its own, says which, and does not end. */
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'

test('This test does not end.', async () => {
  const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  writeSync(1, `started ${pid}\n`)
  await new Promise(() => {})
})
