/** The app of these tests behind a real arbiter, and what a client of it got back. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { freePort } from '../support/port.ts'
import { type Program, run, startMonoceros } from '../support/process.ts'

export const APP = join(__dirname, 'app.js')

/** What the app says of a request. */
export type Seen = {
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  readonly headers: Readonly<Record<string, string>>
  readonly trailers: Readonly<Record<string, string>>
  readonly remoteAddress: string
  readonly remotePort: number
  readonly body: { readonly bytes: number; readonly sha256: string }
}

export type Site = { readonly program: Program; readonly port: number; readonly url: string }

/** One worker, on a port of its own. */
export async function site(...args: string[]): Promise<Site> {
  const port = await freePort()
  const program = startMonoceros([APP, '--bind', `127.0.0.1:${port}`, ...args])
  await program.line(/worker ready/)
  return { program, port, url: `http://127.0.0.1:${port}` }
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Runs a client to its good end; its output. */
export async function client(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, {
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}
