/** Which hooks a notice of the pool calls, and with what. Pure. */
import type { HookArguments, HookName, HookServer, HookWorker } from '../../config/settings/hooks.ts'
import { pidOf } from '../../supervision/life.ts'
import type { Pid } from '../../units.ts'
import type { Notice } from '../surroundings.ts'

export type HookCall<Name extends HookName = HookName> = {
  readonly hook: Name
  readonly args: HookArguments<Name>
}

const call = <Name extends HookName>(hook: Name, ...args: HookArguments<Name>): HookCall => ({ hook, args })

export function callsOf(notice: Notice, server: HookServer): readonly HookCall[] {
  if (notice.kind === 'started') return [call('whenReady', server)]
  return notice.kind === 'moved' ? callsOfMove(notice, server) : []
}

/** An exit, and what comes after it, may be told as one move. */
function callsOfMove({ key, from, to }: Extract<Notice, { kind: 'moved' }>, server: HookServer): readonly HookCall[] {
  const calls: HookCall[] = []
  const worker = (pid: Pid | null): HookWorker => ({ slot: key.slot, generation: key.generation, pid })
  if (to.last !== null && to.last !== from.last) {
    const { pid, exit } = to.last
    const how = { code: exit.code, signal: exit.signal }
    calls.push(call('childExit', server, worker(pid), how), call('workerExit', server, worker(pid), how))
  }
  const { phase } = to
  const now = worker(pidOf(to))
  if (phase.kind === 'spawning') calls.push(call('preFork', server, now))
  else if (phase.kind === 'starting') calls.push(call('postFork', server, now))
  else if (phase.kind === 'proving' || (phase.kind === 'up' && from.phase.kind === 'starting'))
    calls.push(call('postWorkerInit', now))
  else if (phase.kind === 'leaving' && phase.reason === 'silent') calls.push(call('workerAbort', now))
  else if (phase.kind === 'leaving' && phase.reason === 'quick') calls.push(call('workerInt', now))
  return calls
}
