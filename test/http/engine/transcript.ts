/** What a client sends, and what client and app see of it: once from node:http, once from the engine. */
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { attach } from '../../../lib/http/attach.ts'
import type { EngineOptions } from '../../../lib/http/engine.ts'

export type Log = (line: string) => void

export type Scenario = {
  /** Bytes to send; `null` half-closes. A function waits: it is called with all that came whenever more has come. */
  readonly send: readonly (string | Buffer | null | ((received: string) => boolean))[]
  readonly options?: http.ServerOptions
  readonly engine?: EngineOptions
  readonly setup?: (server: http.Server, log: Log) => void
  readonly handler?: (req: http.IncomingMessage, res: http.ServerResponse, log: Log) => void
  /** The client stays connected until this much has come; without it, until the server closes. */
  readonly until?: string
}

export type Transcript = { readonly received: string; readonly events: readonly string[] }

export type Side = 'node' | 'engine'

/** Says what came: method, target, headers, body, trailers. */
export const echo = (req: http.IncomingMessage, res: http.ServerResponse): void => {
  let body = ''
  req.setEncoding('latin1')
  req.on('data', (text) => {
    body += text
  })
  req.on('end', () => {
    const { method, url, httpVersion, rawHeaders, headers, trailers, rawTrailers } = req
    res.end(JSON.stringify({ method, url, httpVersion, rawHeaders, headers, body, trailers, rawTrailers }))
  })
}

/** Plays a scenario against a server of its own. `Date` is left out of what came. */
export async function play(side: Side, scenario: Scenario): Promise<Transcript> {
  const events: string[] = []
  const log: Log = (line) => events.push(line)
  const server = http.createServer(scenario.options ?? {}, (req, res) => (scenario.handler ?? echo)(req, res, log))
  if (side === 'engine') attach(server, scenario.engine)
  scenario.setup?.(server, log)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = net.connect({ port: (server.address() as net.AddressInfo).port, allowHalfOpen: true })
  try {
    const received = await converse(client, scenario)
    return { received: received.replace(/^Date: .*\r\n/gm, ''), events }
  } finally {
    client.destroy()
    server.closeAllConnections()
    await once(server.close(), 'close')
    // The server is closed before the 'close' of its last sockets.
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
}

async function converse(client: net.Socket, { send, until }: Scenario): Promise<string> {
  let received = ''
  let closed = false
  let wake = () => {}
  client.setEncoding('latin1').setNoDelay(true)
  client.on('data', (text: string) => {
    received += text
    wake()
  })
  client.on('error', (error: NodeJS.ErrnoException) => {
    received += `<${error.code}>`
  })
  for (const event of ['end', 'close']) {
    client.on(event, () => {
      closed = true
      wake()
    })
  }
  const when = async (holds: () => boolean) => {
    while (!holds() && !closed)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  for (const part of send) {
    if (part === null) client.end()
    else if (typeof part === 'function') await when(() => part(received))
    else if (!client.destroyed) await new Promise((resolve) => client.write(part as string, 'latin1', resolve))
  }
  await when(() => until !== undefined && received.includes(until))
  return closed ? `${received}<end>` : received
}
