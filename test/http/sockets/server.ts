/** The process of `server.js`, as tests speak to it. */
import { join } from 'node:path'
import { type Program, start } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import type { ReplayOptions } from '../replay.ts'

/** How an answer comes: before the body of its request, as soon as that is there, some turns later, or in parts. */
export type Manner = 'early' | 'at once' | 'later' | 'in parts'

export type Profile = {
  readonly name: string
  /** Of the parser; they become the engine's. */
  readonly options?: ReplayOptions
  /** The app says what it was asked, the requests of a connection in these manners in turn. Without: some routes. */
  readonly manners?: readonly Manner[]
  /** What a listener for 'clientError' sends. */
  readonly ownError?: string
  readonly tls?: boolean
  /** Properties of the server object. */
  readonly timeouts?: Readonly<Record<string, number>>
}

export type OpenCounts = {
  /** As the server object counts them, those before the end of their TLS handshake included. */
  readonly open: number
  readonly connections: number
  readonly active: number
  readonly idle: number
  readonly requests: number
}

export class ServerProcess {
  readonly program: Program

  constructor(program: Program) {
    this.program = program
    // Where it has died, waiting for its answer says so.
    program.child.stdin!.on('error', () => {})
  }

  async port(name: string): Promise<number> {
    return Number((await this.program.line(new RegExp(`^port ${name} (\\d+)$`)))[1])
  }

  counts(): Promise<OpenCounts> {
    return this.#ask('counts')
  }

  /** Bytes of the heap and outside of it that are in use after a collection, and those of the whole process. */
  heap(): Promise<{ readonly used: number; readonly rss: number }> {
    return this.#ask('heap')
  }

  /** Idle connections are closed from now on. */
  async hurry(): Promise<void> {
    await this.#ask('hurry')
  }

  /** Waits until nothing is open, and fails if anything has been printed that nobody asked for. */
  async isUnharmed(): Promise<void> {
    let counts: OpenCounts | undefined
    await until(async () => {
      counts = await this.counts()
      return counts.open + counts.connections === 0
    })
    expect(counts).toMatchObject({ open: 0, connections: 0, active: 0, idle: 0 })
    expect(this.program.stderr).toBe('')
  }

  async #ask(command: string): Promise<never> {
    const mark = this.program.mark()
    this.program.child.stdin!.write(`${command}\n`)
    return JSON.parse((await this.program.line(new RegExp(`^${command} (.*)$`), mark))[1]!) as never
  }
}

export function startServers(profiles: readonly Profile[], keep = false): ServerProcess {
  const args = ['--expose-gc', join(__dirname, 'server.js'), JSON.stringify(profiles)]
  return new ServerProcess(start(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], keep }))
}
