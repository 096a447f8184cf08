/** A client that counts failures while something happens to the server (`load.js`). */
import { join } from 'node:path'
import { type Program, startNode } from './process.ts'

export type LoadOptions = {
  readonly path?: string
  readonly port?: number
  readonly connections?: number
  readonly keepAlive?: boolean
  readonly method?: 'GET' | 'POST'
  readonly bytes?: number
  readonly pause?: number
}

export type LoadResult = {
  readonly answered: number
  readonly opened: number
  readonly idle: number
  readonly failed: number
  readonly pids: number
  readonly failures: Readonly<Record<string, number>>
  readonly samples: readonly object[]
}

export type Load = { stop(): Promise<LoadResult> }

/** Begins to ask at once. */
export function startLoad(options: LoadOptions): Load {
  const program: Program = startNode(join(__dirname, 'load.js'), [JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return {
    async stop() {
      program.child.stdin!.end()
      await program.ended()
      return JSON.parse(program.stdout)
    },
  }
}
