/**
 * Requests and responses of an Express app, made so that nothing has to change in them later.
 *
 * The first thing that Express does with a request and a response is to give them other prototypes, `app.request` and
 * `app.response`. Of an object that has properties when it gets another prototype, V8 before 13 (Node 20 and 22) does
 * not remember how its shape went on: each property that Express, middleware or Node add to it later, some ten a
 * request, makes a shape of its own and copies the descriptions of all properties before. What V8 learns of one such
 * shape is of no use for the next, and the 10 KB that they take a request outlive every collection of the young
 * generation: full ones come several times a second.
 *
 * So where an Express app is all that listens for 'request', they have these prototypes from the start, and Express
 * finds nothing to change.
 */
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { type Incoming, incomingClass, type Outgoing, type ResponseOptions, responseClass } from './node.ts'
import type { Service } from './service.ts'

export type Messages = {
  readonly Request: new (socket: Duplex) => Incoming
  readonly Response: new (request: Incoming, options: ResponseOptions) => Outgoing
}

/** What `express()` returns says what it will make of requests and responses. */
type App = { readonly request?: object; readonly response?: object }

/** The prototypes of an app, and what is made with them: null if they are no request's and no response's. */
export type AppMessages = { readonly request: object; readonly response: object; readonly messages: Messages | null }

const IncomingMessage = http.IncomingMessage as unknown as Messages['Request']
const ServerResponse = http.ServerResponse as unknown as Messages['Response']

/** Null: of the classes of the server. */
export function messagesOf(service: Service): Messages | null {
  const { server } = service
  const listener = server._events.request
  // A list of several, or a server that may give its requests to others as well.
  if (typeof listener !== 'function' || server.emit !== http.Server.prototype.emit) return null
  const { request, response } = listener as App
  if (request === undefined || response === undefined) return null
  if (server[incomingClass] !== IncomingMessage || server[responseClass] !== ServerResponse) return null
  if (service.app?.request !== request || service.app.response !== response) {
    service.app = { request, response, messages: messagesWith(request, response) }
  }
  return service.app.messages
}

function messagesWith(request: object, response: object): Messages | null {
  if (!onlyAdds(request, IncomingMessage, REQUEST) || !onlyAdds(response, ServerResponse, RESPONSE)) return null
  return {
    Request: withPrototype(IncomingMessage, request),
    Response: withPrototype(ServerResponse, response),
  }
}

const REQUEST = new http.IncomingMessage(null as never)
const RESPONSE = new http.OutgoingMessage()

/** Whether a prototype comes from that class, and has nothing in the way of the properties that Node gives each object. */
function onlyAdds(prototype: object, { prototype: parent }: { prototype: object }, sample: object): boolean {
  for (let each: object | null = prototype; each !== parent; each = Object.getPrototypeOf(each)) {
    if (each === null || Reflect.ownKeys(each).some((key) => Object.hasOwn(sample, key))) return false
  }
  return true
}

/** V8 makes room in an object for as many properties as it sees assigned in its constructor, and for some more. */
const ROOM = false as boolean

function withPrototype<Class>(parent: Class, prototype: object): Class {
  function Message(this: Record<string, unknown>, first: unknown, second: unknown): void {
    Reflect.apply(parent as () => void, this, [first, second])
    if (ROOM) {
      this.a = this.b = this.c = this.d = this.e = this.f = this.g = this.h = this.i = this.j = this.k = this.l = 0
      this.m = this.n = this.o = this.p = this.q = this.r = this.s = this.t = this.u = this.v = this.w = this.x = 0
    }
  }
  Message.prototype = prototype
  return Message as Class
}
