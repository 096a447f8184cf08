/** What arbiter, molds, workers, manager and companions hold, seen in /proc: nobody has what is another's. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { serve } from '../arbiter/service.ts'
import { descriptorsOf, entryOf } from '../support/proc.ts'
import { until } from '../support/until.ts'

const APP = `
exports.companion = () => new Promise(() => setInterval(() => {}, 1000))
require('node:http').createServer((q, r) => r.end('ok')).listen(3000)
`
const CONFIG = {
  companions: [
    { name: 'target', target: './app.js:companion' },
    { name: 'program', command: ['/bin/sleep', '1000'] },
  ],
  companionStartsecs: 0,
  controlSocket: 'control.sock',
  companionControlSocket: 'companions.sock',
}

type Held = { readonly who: string; readonly fd: number; readonly target: string }

/** Without 0, 1 and 2, which are everybody's; an eventfd is told from another by its number. */
function heldBy(who: string, pid: number): readonly Held[] {
  return descriptorsOf(pid)
    .filter(({ fd }) => fd > 2)
    .map(({ fd, target }) => {
      const [, event] = /^eventfd-id:\s*(\d+)/m.exec(entryOf(pid, `fdinfo/${fd}`)) ?? []
      return { who, fd, target: event === undefined ? target : `${target} ${event}` }
    })
}

/** What is one thing, whoever holds it: not an epoll, which has no number, nor /dev/null. */
const IS_ONE = /^(socket|pipe):|eventfd\] \d|^\/(?!dev\/null)|memfd:/

/** The inode of a listening UNIX socket, as /proc/PID/fd has it; it was bound under a temporary name. */
const inodeOf = (path: string): string =>
  `socket:[${new RegExp(` 01 +(\\d+) ${path}\\.\\w+~$`, 'm').exec(readFileSync('/proc/net/unix', 'latin1'))![1]}]`

test('listeners are held by arbiter and workers, alarms by arbiter and worker, and nothing else of ours by two', async () => {
  const files = { 'app.js': APP, 'c.json': JSON.stringify(CONFIG) }
  const { program, folder, children } = serve(
    ['-c', 'c.json', '--preload', '--no-preload-spare', '-w', '2', '--startsecs', '0'],
    { files },
  )
  const pid = async (pattern: RegExp): Promise<number> => Number((await program.line(pattern))[1])
  await program.line('all workers are ready')
  await program.lines('companion is RUNNING', 2)
  const mold = await pid(/workers are forked from it pid=(\d+)/)
  const manager = await pid(/companion manager started pid=(\d+)/)
  const [one, other] = children().filter((child) => child !== mold && child !== manager) as [number, number]
  const answer = await ask(join(folder, 'companions.sock'), { cmd: 'status' })
  const { companions } = answer as unknown as { companions: readonly { name: string; pid: number }[] }
  const companion = (name: string): number => companions.find((each) => each.name === name)!.pid
  const pids = {
    arbiter: program.pid,
    mold,
    'worker 0': one,
    'worker 1': other,
    manager,
    'mold of companions': await pid(/companions are forked from it pid=(\d+)/),
    target: companion('target'),
    program: companion('program'),
  }
  expect(new Set(Object.values(pids)).size).toBe(8)
  const holders = (): Map<string, Set<string>> => {
    const found = new Map<string, Set<string>>()
    for (const { who, target } of Object.entries(pids).flatMap(([who, pid]) => heldBy(who, pid))) {
      if (IS_ONE.test(target)) found.set(target, (found.get(target) ?? new Set()).add(who))
    }
    return found
  }
  const listener = inodeOf(join(folder, 'http.sock'))
  const shared = (): readonly string[] =>
    [...holders()]
      .filter(([target, who]) => who.size > 1 && target !== listener)
      .map(([target, who]) => `${[...who].join(', ')}: ${/pipe|eventfd|socket/.exec(target)?.[0] ?? target}`)
      .sort()
  // The loops of threads that Node has of its own: they are gone after a fork, and nobody reads or writes there.
  const threads = ['eventfd', 'eventfd', 'pipe', 'pipe']
  const expected = [
    'arbiter, worker 0: eventfd',
    'arbiter, worker 1: eventfd',
    ...threads.map((what) => `mold of companions, target: ${what}`),
    ...threads.map((what) => `mold, worker 0, worker 1: ${what}`),
  ]
  // What is closed right after it was handed over may still be seen.
  await until(() => shared().length <= expected.length)
  expect(shared()).toEqual(expected)
  expect([...holders().get(listener)!]).toEqual(['arbiter', 'worker 0', 'worker 1'])
  for (const [path, who] of Object.entries({ 'control.sock': 'arbiter', 'companions.sock': 'manager' }))
    expect([...holders().get(inodeOf(join(folder, path)))!]).toEqual([who])
  // A program has what every program has.
  expect(heldBy('program', pids.program)).toEqual([])
})
