import { join } from 'node:path'
import { isAlive } from './proc.ts'
import { run, start } from './process.ts'
import { until } from './until.ts'

const ROOT = join(__dirname, '..', '..')

test('A test that leaves a process behind fails the whole run, which names the process and kills it.', async () => {
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  const args = [jest, '--testPathIgnorePatterns', 'none', '--runTestsByPath', 'test/support/leaky/leaky.test.ts']
  const { code, stderr } = await run(process.execPath, [...args, '--workerThreads=false'], { cwd: ROOT })
  expect(stderr).toContain('1 passed')
  expect(stderr).toMatch(/1 processes outlived the tests and were killed:\s+\d+ sleep 1000/)
  expect(code).toBe(1)
  const pid = Number(/(\d+) sleep 1000/.exec(stderr)?.[1])
  expect(isAlive(pid)).toBe(false)
})

test('What a test has started is killed with its process group, also when the test forgets it.', async () => {
  const program = start('sh', ['-c', 'sleep 1000 & echo $!; wait'])
  const [, child] = await program.line(/^(\d+)$/)
  await program.kill()
  // Its death is not waited for by anybody else.
  await until(() => !isAlive(Number(child)))
})
