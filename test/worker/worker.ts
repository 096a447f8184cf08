/** One worker under the fake arbiter, as tests speak to it. */
import { join } from 'node:path'
import type { ToArbiter, ToWorker } from '../../lib/channel/messages.ts'
import type { ListenerAddress } from '../../lib/kernel/kernel.ts'
import { type Program, type StartOptions, start } from '../support/process.ts'

/** How the fake arbiter starts its worker. */
export type Order = {
  /** Absolute. */
  readonly file: string
  readonly export?: string
  readonly args?: readonly string[]
  readonly nodeOptions?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly bind?: readonly ListenerAddress[]
  /** Over the defaults. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Over the ordinary `go`. */
  readonly go?: Readonly<Record<string, unknown>>
}

type Row = Readonly<Record<keyof typeof import('../../lib/channel/heartbeat.ts').COLUMN, number>>

/** What the fake arbiter tells: what the worker said, and what it saw itself. */
export type Told =
  | Exclude<ToArbiter, { kind: 'listen' | 'unlisten' }>
  | { readonly kind: 'unlistened'; readonly address: ListenerAddress }
  | { readonly kind: 'asked'; readonly address: ListenerAddress; readonly backlog: number }
  | { readonly kind: 'spawned'; readonly pid: number; readonly bound: readonly ListenerAddress[] }
  | { readonly kind: 'garbled'; readonly why: string }
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | ({ readonly kind: 'row' } & Row)
  | { readonly kind: 'closed' }

export class Worker {
  readonly program: Program

  constructor(program: Program) {
    this.program = program
  }

  /** All of this kind that came so far. */
  all<Kind extends Told['kind']>(kind: Kind): Extract<Told, { kind: Kind }>[] {
    const whole = this.program.stdout.slice(0, this.program.stdout.lastIndexOf('\n') + 1)
    const told = whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Told]))
    return told.filter((each): each is Extract<Told, { kind: Kind }> => each.kind === kind)
  }

  /** The `count`th of this kind. */
  async told<Kind extends Told['kind']>(kind: Kind, count = 1): Promise<Extract<Told, { kind: Kind }>> {
    await this.program.until(() => this.all(kind).length >= count, `${count} × ${kind}`)
    return this.all(kind)[count - 1]!
  }

  /** A line that the app printed. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.program.line(pattern)
  }

  say(message: ToWorker, paths: readonly string[] = []): void {
    this.order({ say: message, paths })
  }

  order(command: Readonly<Record<string, unknown>>): void {
    this.program.child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  /** The worker's row of the heartbeat memory, as it stands. */
  async row(): Promise<Row> {
    const before = this.all('row').length
    this.order({ look: true })
    return this.told('row', before + 1)
  }

  /** The port that it is ready on; the first of several. */
  async port(): Promise<number> {
    const { address } = await this.told('ready')
    const tcp = address.find((each) => each.kind === 'tcp')
    if (tcp?.kind !== 'tcp') throw new Error(`it listens on ${JSON.stringify(address)}`)
    return tcp.port
  }

  async ended(): Promise<Extract<Told, { kind: 'exited' }>> {
    await this.program.ended()
    return this.told('exited')
  }
}

/** `node`: the Node that arbiter and worker run on. */
export const startWorker = (order: Order, options: StartOptions & { readonly node?: string } = {}): Worker => {
  const { node = process.execPath, ...rest } = options
  const script = join(__dirname, 'fake-arbiter.js')
  const program = start(node, [script, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'pipe'], ...rest })
  return new Worker(program)
}

/** A free TCP port: nobody else is given it while the test runs, because the kernel deals out others first. */
export const LOOPBACK: ListenerAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }
