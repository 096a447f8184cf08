/** What the control socket's `reload` waits for, against a pool whose notices come when a test says so. */
import { arbiterCommands, type CommandParts } from '../../lib/arbiter/commands.ts'
import { Notices } from '../../lib/arbiter/notices.ts'
import type { Answer } from '../../lib/control/protocol.ts'

const NO_CONFIG = { kind: 'spawnFailed', error: 'EAGAIN', fault: null } as const

/** Asks for a reload of a pool at generation 1; `begin` is what the reading of the settings comes to. */
function ask(begin: (notices: Notices) => readonly string[] | null) {
  const notices = new Notices()
  const gone = new AbortController()
  const parts = {
    arbiter: { pool: { latest: 1 } },
    reload: async () => begin(notices),
    notice: (accepts, signal) => notices.wait(accepts, signal),
  } as Partial<CommandParts> as CommandParts
  const { run } = arbiterCommands(parts).reload!
  const answer = run({}, { gone: gone.signal, send: async () => undefined }) as Promise<Answer>
  return { notices, gone, answer }
}

test('a reload that fails in the turn in which it begins is answered', async () => {
  const { answer } = ask((notices) => {
    notices.tell({ kind: 'reloadFailed', generation: 2, trouble: NO_CONFIG })
    return null
  })
  expect(await answer).toEqual({
    ok: false,
    error: 'reload failed: could not be started: EAGAIN',
    kept_old_config: true,
  })
})

test('a reload of which a newer one takes the place is answered with the outcome of the newer one', async () => {
  const { notices, answer } = ask(() => null)
  notices.tell({ kind: 'reloaded', generation: 1 })
  notices.tell({ kind: 'reloadFailed', generation: 2, trouble: { kind: 'superseded', by: 3 } })
  notices.tell({ kind: 'reloaded', generation: 3 })
  expect(await answer).toEqual({ ok: true, message: 'generation 3 serves' })
})

test('settings that are refused are the answer, and nobody waits any longer', async () => {
  const { answer } = ask(() => ['workers: must be a number', 'bind: must be an address'])
  expect(await answer).toEqual({
    ok: false,
    error: 'workers: must be a number; bind: must be an address',
    kept_old_config: true,
  })
})

test('a client that goes away ends the wait', async () => {
  const { gone, answer } = ask(() => null)
  gone.abort()
  expect(await answer).toMatchObject({ ok: false })
})
