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
type App = { readonly request?: unknown; readonly response?: unknown }

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
  if (!isObject(request) || !isObject(response)) return null
  if (server[incomingClass] !== IncomingMessage || server[responseClass] !== ServerResponse) return null
  if (service.app?.request !== request || service.app.response !== response) {
    service.app = { request, response, messages: messagesWith(request, response) }
  }
  return service.app.messages
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

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

/** For code that is written to be read by V8, not to be run. */
const NEVER: boolean = false

/**
 * A constructor that does what `parent` does, for objects with that prototype.
 *
 * V8 decides by the text of a constructor how many properties an object has room for: one for each assignment to `this`,
 * run or not, and a few more. Properties beyond that go to a list beside the object, which is copied as it grows. Node
 * gives a request 26 and a response 40, Express adds its own, and none of that stands in this text: so there are
 * assignments that are never run. Without them an Express app serves 34,000 requests a second, with them 48,000 (Node 20).
 */
function withPrototype<Class>(parent: Class, prototype: object): Class {
  function Message(this: Record<string, unknown>, first: unknown, second: unknown): void {
    Reflect.apply(parent as () => void, this, [first, second])
    if (NEVER) {
      this.p1 = this.p2 = this.p3 = this.p4 = this.p5 = this.p6 = this.p7 = this.p8 = null
      this.p9 = this.p10 = this.p11 = this.p12 = this.p13 = this.p14 = this.p15 = this.p16 = null
      this.p17 = this.p18 = this.p19 = this.p20 = this.p21 = this.p22 = this.p23 = this.p24 = null
    }
  }
  Message.prototype = prototype
  return Message as Class
}
