/** Settings are read when no descriptor is left for the processes that are asked: at each reload of a busy arbiter. */
import { join } from 'node:path'
import type { Evaluated } from '../../lib/config/evaluate.ts'
import type { Problem } from '../../lib/config/problems.ts'
import { temporaryFolder } from '../support/folder.ts'
import { run } from '../support/process.ts'

const LIMIT = 64
/** Descriptors that are free at the last: more than either process takes. */
const ENOUGH = 10

type Outcome = { readonly evaluated: Evaluated; readonly refused: readonly Problem[] }

async function outcomes(): Promise<Outcome[]> {
  const file = join(temporaryFolder({ 'config.mjs': 'export default { workers: 7 }' }), 'config.mjs')
  const program = [process.execPath, join(__dirname, 'full-table.js'), file, String(ENOUGH)]
  const { code, stdout, stderr } = await run('bash', ['-c', `ulimit -n ${LIMIT}; exec "$@"`, 'sh', ...program])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome)
}

test('with a full descriptor table a config file is refused in one line, options are left for later, and nothing waits', async () => {
  const found = await outcomes()
  expect(found).toHaveLength(ENOUGH + 1)
  const exported = { kind: 'exported', value: { workers: 7 } }
  const failed = {
    kind: 'failed',
    text: expect.stringMatching(/^cannot be evaluated: spawn .* E[MN]FILE$/),
    line: null,
  }
  const complaint = expect.stringMatching(/^Node v.* does not take them: bad option: --nonsense$/)
  const refused = [expect.objectContaining({ key: 'nodeOptions', text: complaint })]
  const needed = found.findIndex(({ evaluated }) => evaluated.kind === 'exported')
  // Some may be there and not all: those of what is read, and not those by which the start itself is told.
  expect(needed).toBeGreaterThan(2)
  expect(found.map(({ evaluated }) => evaluated)).toEqual(found.map((_, free) => (free < needed ? failed : exported)))
  expect(found.map((each) => each.refused)).toEqual(found.map((_, free) => (free < needed ? [] : refused)))
})
