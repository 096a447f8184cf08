/** An arbiter in the foreground of a real terminal. */
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { childrenOf, isAlive } from '../support/proc.ts'
import { dist, start } from '../support/process.ts'
import { APP } from './service.ts'

function onTerminal() {
  const folder = temporaryFolder({ 'app.js': APP })
  const command = [
    process.execPath,
    dist('cli/monoceros.js'),
    'app.js',
    '-w',
    '2',
    '-b',
    `unix:${join(folder, 'http.sock')}`,
  ]
  return start('python3', [join(__dirname, 'terminal.py'), ...command], {
    cwd: folder,
    env: { XDG_RUNTIME_DIR: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

test('a resized terminal drains no worker; a kill -WINCH does', async () => {
  const program = onTerminal()
  const [, arbiter] = await program.line(/arbiter\[(\d+)\] all workers are ready/)
  const workers = childrenOf(Number(arbiter))
  const mark = program.mark()
  program.child.stdin!.write('resize\n')
  await program.line('terminal: resized', mark)
  process.kill(Number(arbiter), 'SIGTTIN')
  await program.line('worker ready', mark)
  expect(childrenOf(Number(arbiter))).toEqual(expect.arrayContaining(workers))
  expect(program.output.slice(mark)).not.toContain('SIGWINCH')
  process.kill(Number(arbiter), 'SIGWINCH')
  await program.line('all workers are drained', mark)
  program.child.stdin!.write('close\n')
  await program.line('terminal: command ended 0', mark)
})

test('a closed terminal means stop, not reload, and nothing is left', async () => {
  const program = onTerminal()
  const [, arbiter] = await program.line(/arbiter\[(\d+)\] all workers are ready/)
  const workers = childrenOf(Number(arbiter))
  program.child.stdin!.write('close\n')
  await program.line('terminal: command ended 0')
  for (const pid of workers) expect(isAlive(pid)).toBe(false)
})
