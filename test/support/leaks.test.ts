import { join } from 'node:path'
import { isAlive } from './proc.ts'
import { run, start } from './process.ts'
import { until } from './until.ts'

const ROOT = join(__dirname, '..', '..')
/** Jest, for a test that is not among those of the project. */
const jestOf = (name: string): string[] => [
  join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
  ...['--testPathIgnorePatterns', 'none', '--workerThreads=false'],
  ...['--runTestsByPath', `test/support/leaky/${name}.test.ts`],
]

test('A test that leaves a process behind fails the whole run, which names the process and kills it.', async () => {
  const { code, stderr } = await run(process.execPath, jestOf('leaky'), { cwd: ROOT })
  expect(stderr).toContain('1 passed')
  expect(stderr).toMatch(/1 processes outlived the tests and were killed:\s+\d+ sleep 1000/)
  expect(code).toBe(1)
  const pid = Number(/(\d+) sleep 1000/.exec(stderr)?.[1])
  expect(isAlive(pid)).toBe(false)
})

test.each(['SIGTERM', 'SIGKILL'] as const)('A run that is interrupted by %s leaves nothing behind.', async (signal) => {
  const program = start(process.execPath, jestOf('endless'), { cwd: ROOT })
  const [, pid] = await program.line(/^started (\d+)$/)
  program.signal(signal)
  await until(() => !isAlive(Number(pid)))
})

test('What a test has started is killed with its process group, also when the test forgets it.', async () => {
  const program = start('sh', ['-c', 'sleep 1000 & echo $!; wait'])
  const [, child] = await program.line(/^(\d+)$/)
  await program.kill()
  // Its death is not waited for by anybody else.
  await until(() => !isAlive(Number(child)))
})
