/** A request and its response: made of Node's own classes, given to the app, and taken back when they are done. */
import { AsyncResource } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import { closeEmpty, completeRequest, startBody } from './body.ts'
import type { Connection } from './connection.ts'
import { HTTP_ERRORS, type HttpError } from './errors.ts'
import { type Messages, messagesOf } from './messages.ts'
import {
  CONNECTION,
  detachAbortSignal,
  type Incoming,
  incomingClass,
  needDrain,
  type Outgoing,
  optimizeEmptyRequests,
  responseClass,
  uniqueHeaders,
} from './node.ts'
import type { Head } from './parser/head.ts'
import { noteResponse, reportResponse } from './records.ts'
import { requestCame } from './together.ts'
import { takeTurn } from './turns.ts'

const startChannel = diagnostics.channel('http.server.request.start')
const finishChannel = diagnostics.channel('http.server.response.finish')

const MANUAL = { requireManualDestroy: true }

/** Every request has a context of its own, so that `enterWith` in one is not seen in the next. */
export const contextOf = (): AsyncResource => new AsyncResource('HTTPINCOMINGMESSAGE', MANUAL)

export function requestOf(connection: Connection, head: Head, messages: Messages | null = null): Incoming {
  const { service, socket } = connection
  const { server } = service
  const request = messages === null ? new server[incomingClass](socket) : new messages.Request(socket)
  request.httpVersionMajor = 1
  request.httpVersionMinor = head.minorVersion
  request.httpVersion = head.minorVersion === 1 ? '1.1' : '1.0'
  request.joinDuplicateHeaders = server.joinDuplicateHeaders
  request.url = head.target
  request.upgrade = false
  const raw = head.rawHeaders
  request._addHeaderLines(raw, raw.length)
  request.method = head.method
  if (head.authority !== null) {
    // RFC 9112 §3.2.2: the target's authority replaces what Host says.
    request.headers.host = head.authority
    request.headersDistinct.host = [head.authority]
  }
  return request
}

/** Makes request and response and tells the app; others have seen the request already if it is `given`. */
export function beginRequest(connection: Connection, head: Head, given?: Incoming): void {
  const { framing } = head
  const { service, socket } = connection
  // 'checkContinue' and 'checkExpectation' have listeners of their own.
  const messages = given === undefined && head.expect === 'none' ? messagesOf(service) : null
  const request = given ?? requestOf(connection, head, messages)
  // One that the app set behind the last response counted between the requests only, as in Node.
  const setBetween = connection.idleSince !== 0 && socket.timeout && service.keepAliveTimeout > 0
  if (connection.timeoutSuspended || setBetween) connection.restoreTimeout()
  connection.idleSince = 0
  if (!head.keepAlive) connection.lastRequest = true
  const response = responseTo(connection, request, head.keepAlive, messages)
  const scope = contextOf()
  if (framing.kind === 'none') {
    connection.started = 0
    if (connection.lastRequest) connection.phase = 'over'
    requestCame(connection)
  } else {
    startBody(connection, request, scope, framing)
  }
  scope.runInAsyncScope(emitRequest, undefined, connection, head, request, response)
}

function responseTo(
  connection: Connection,
  request: Incoming,
  keepAlive: boolean,
  messages: Messages | null,
): Outgoing {
  const { service, responseOptions } = connection
  const { server } = service
  service.requests++
  const response =
    messages === null
      ? new server[responseClass](request, responseOptions)
      : new messages.Response(request, responseOptions)
  response[CONNECTION] = connection
  response._keepAliveTimeout = service.keepAliveTimeout
  response._maxRequestsPerSocket = server.maxRequestsPerSocket ?? 0
  response._onPendingData = onPendingData
  response.shouldKeepAlive = keepAlive && !service.closesAlways
  response[uniqueHeaders] = server[uniqueHeaders]
  if (service.draining) {
    response.shouldKeepAlive = false
    connection.lastRequest = true
  }
  noteResponse(connection, response)
  if (server[optimizeEmptyRequests] === true) closeEmpty(request)
  return response
}

function emitRequest(connection: Connection, head: Head, request: Incoming, response: Outgoing): void {
  const { socket, service } = connection
  const { onRequest, server } = service
  const published = startChannel.hasSubscribers
  if (published) startChannel.publish({ request, response, socket, server })
  takeTurn(connection, response)
  response.on('finish', onFinish)
  // A subscriber may have written to it already.
  if (published && connection.response === response) response._flush()
  const place = placeOf(connection, head)
  const wait = onRequest === null ? undefined : onRequest(request)
  if (wait === undefined) tellApp(connection, head, place, request, response)
  else
    wait(() => {
      // Its client may be gone by now: nobody wants the answer.
      if (!response.destroyed) tellApp(connection, head, place, request, response)
    })
}

/** Counts it, in the order of arrival, where the requests of a connection are limited; 0: they are not. */
function placeOf(connection: Connection, { minorVersion }: Head): number {
  const most = connection.service.server.maxRequestsPerSocket
  return minorVersion > 0 && typeof most === 'number' && most > 0 ? ++connection.served : 0
}

function tellApp(connection: Connection, head: Head, place: number, request: Incoming, response: Outgoing): void {
  try {
    if (!refused(connection, head, place, request, response))
      connection.service.server.emit('request', request, response)
  } finally {
    if (head.framing.kind === 'none') completeRequest(request, [])
  }
}

/** The rules of HTTP/1.1 that come before the app's own. True when something else than 'request' was emitted or sent. */
function refused(connection: Connection, head: Head, place: number, request: Incoming, response: Outgoing): boolean {
  if (head.minorVersion === 0) return false
  const { server } = connection.service
  const most = server.maxRequestsPerSocket
  if (place > 0 && typeof most === 'number') {
    response.maxRequestsOnConnectionReached = most <= place
    if (most < place) {
      server.emit('dropRequest', request, connection.socket)
      return refuse(response, HTTP_ERRORS.TOO_MANY_REQUESTS)
    }
  }
  if (head.expect === 'none') return false
  if (head.expect === 'continue') {
    response._expect_continue = true
    if (server.listenerCount('checkContinue') > 0) return server.emit('checkContinue', request, response)
    response.writeContinue()
    return false
  }
  if (server.listenerCount('checkExpectation') > 0) return server.emit('checkExpectation', request, response)
  return refuse(response, HTTP_ERRORS.EXPECTATION_FAILED)
}

function refuse(response: Outgoing, { status, text }: HttpError): true {
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain')
  response.end(text)
  return true
}

function onPendingData(this: Outgoing, bytes: number): void {
  const connection = this[CONNECTION]
  connection.queued += bytes
  onDrain(connection)
}

/** The socket has room. */
export function onDrain(connection: Connection): void {
  connection.unpause()
  const { response } = connection
  if (response?.[needDrain] && !response.writableFinished && !response.writableEnded && response.writableLength === 0) {
    response[needDrain] = false
    response.emit('drain')
  }
}

function onFinish(this: Outgoing): void {
  const connection = this[CONNECTION]
  const { socket, service } = connection
  const request = this.req
  if (finishChannel.hasSubscribers) {
    finishChannel.publish({ request, response: this, socket, server: service.server })
  }
  reportResponse(connection, this, false)
  dumpUnread(request)
  request[detachAbortSignal]?.()
  if (socket._httpMessage === this) socket._httpMessage = null
  ;(this as { socket: unknown }).socket = null
  process.nextTick(endExchange, this)
  connection.sent(this)
}

const isUnread = (request: Incoming): boolean =>
  !request._dumped && !request._consuming && !request._readableState.resumeScheduled

/** Whether anything is to come of it, or somebody listens. */
const isAwaited = (request: Incoming): boolean =>
  !request.complete || request._eventsCount > 0 || request.readableLength > 0

/** An app that has not looked at the request is not going to: the rest of the body is thrown away. */
function dumpUnread(request: Incoming): void {
  if (isUnread(request) && isAwaited(request)) request._dump()
}

/**
 * Where nobody listens, not since the response was finished either, the end of the request that Node would bring about
 * in some ticks more is written down at once.
 */
function endExchange(response: Outgoing): void {
  const request = response.req
  emitClose(response)
  dumpUnread(request)
  if (!isUnread(request)) return
  const state = request._readableState
  ;(request as { _dumped: boolean })._dumped = true
  state.ended = true
  state.endEmitted = true
  state.destroyed = true
  state.closed = true
  state.closeEmitted = true
}

export function emitClose(response: Outgoing): void {
  if (response._closed) return
  response.destroyed = true
  response._closed = true
  response.emit('close')
}
