/** What an app sees of its requests, whoever parses them. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export type Recorded = {
  readonly method: string
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly upgrade: boolean
  readonly keepAlive: boolean
  body: string
  trailers: readonly string[]
  complete: boolean
}

/** Answers every request when its body has come; tunnels are closed. `of` names the record of a connection. */
export function record(server: Server, of: (socket: Duplex) => { readonly requests: Recorded[] }): void {
  const take = ({ method, url, rawHeaders, socket }: IncomingMessage, rest: Partial<Recorded>): Recorded => {
    const asked = { method: method!, target: url!, rawHeaders, upgrade: false, keepAlive: true }
    const taken = { ...asked, body: '', trailers: [], complete: false, ...rest }
    of(socket).requests.push(taken)
    return taken
  }
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const taken = take(request, { keepAlive: response.shouldKeepAlive })
    request.setEncoding('latin1')
    request.on('data', (text: string) => {
      taken.body += text
    })
    request.on('end', () => {
      taken.complete = true
      taken.trailers = request.rawTrailers
      // HTTP/1.0 goes on only where the length is known.
      response.setHeader('Content-Length', 0)
      response.end()
    })
    request.on('error', () => {})
  }
  const tunnel = (request: IncomingMessage, socket: Duplex) => {
    take(request, { upgrade: true, complete: true })
    socket.destroy()
  }
  // An answer without a 100 (Continue) before it ends the connection.
  const proceed = (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue()
    serve(request, response)
  }
  server.on('request', serve).on('checkContinue', proceed).on('checkExpectation', serve)
  server.on('upgrade', tunnel).on('connect', tunnel)
}
