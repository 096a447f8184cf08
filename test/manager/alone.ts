/** A manager with its companions, under the arbiter's side of it alone (`alone.js`), and the control socket to ask it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import type { Answer } from '../../lib/control/protocol.ts'
import type { CompanionStatus } from '../../lib/supervision/companions/status.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type Program, startNode } from '../support/process.ts'

export type Alone = {
  readonly folder: string
  readonly program: Program
  readonly socket: string
  /** Writes the config file; `reread` reads it. */
  configure(companions: readonly object[], settings?: object): void
  ask(question: { readonly cmd: string; readonly [key: string]: unknown }): Promise<Answer>
  status(name: string): Promise<CompanionStatus>
  /** Waits for a state, and gives the status then. */
  become(name: string, state: string): Promise<CompanionStatus>
  /** A file of the folder. */
  read(name: string): string
  path(name: string): string
}

/** Fast, so that tests need not wait: a companion is RUNNING after 50 ms and tried again after 100 ms. */
const SETTINGS = {
  companionStartsecs: '50ms',
  companionRestartDelay: '100ms',
  companionStopTimeout: '300ms',
  companionReloadTimeout: '300ms',
}

export async function manage(
  companions: readonly object[],
  files: Readonly<Record<string, string>> = {},
  settings: object = {},
): Promise<Alone> {
  const folder = temporaryFolder(files)
  const path = (name: string): string => join(folder, name)
  const socket = path('m')
  const configure = (list: readonly object[], more: object = {}): void =>
    writeFileSync(path('c.json'), JSON.stringify({ ...SETTINGS, ...settings, ...more, companions: list }))
  configure(companions)
  const program = startNode(join(__dirname, 'alone.js'), [path('c.json'), socket], { cwd: folder })
  await program.line('manager is up')
  const asked: Alone['ask'] = (question) => ask(socket, question)
  const status = async (name: string): Promise<CompanionStatus> => {
    const answer = await asked({ cmd: 'status', name })
    if (!answer.ok) throw new Error(answer.error)
    return (answer.companions as CompanionStatus[])[0]!
  }
  return {
    folder,
    program,
    socket,
    configure,
    status,
    path,
    ask: asked,
    async become(name, state) {
      const answer = await asked({ cmd: 'wait', name, state, timeout: 9 })
      if (!answer.ok) throw new Error(answer.error)
      return status(name)
    },
    read: (name) => readFileSync(path(name), 'utf8'),
  }
}

/** A shell that says its pid and waits, whatever is sent to it but KILL. */
export const STUBBORN = ['sh', '-c', 'trap "" TERM; echo here; while :; do sleep 0.05; done']
export const SLEEPER = ['sleep', '1000']
