/**
 * Preloaded into other projects' test suites (see run.js): every http and https server has the engine attached. How
 * many requests the engine got is appended to the file that COMPAT_COUNT names.
 */
const { appendFileSync } = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const { syncBuiltinESMExports } = require('node:module')
const { isMainThread } = require('node:worker_threads')
const { attach } = require('../../dist/http/attach.js')
const { loadKernel } = require('../../dist/kernel/addon.js')
const { otherEndOf } = require('../../dist/worker/other-end.js')

const options = {
  // As a worker gives it; the addon belongs to the main thread.
  ...(isMainThread && { otherEnd: otherEndOf(loadKernel()) }),
}
let requests = 0
const engines = []

const attached = (server) => {
  engines.push(attach(server, options))
  return server
}

function replace(module) {
  const Original = module.Server
  const Server = function Server(...args) {
    if (new.target !== undefined || !(this instanceof Server)) {
      return attached(Reflect.construct(Original, args, new.target ?? Server))
    }
    Original.apply(this, args)
    return attached(this)
  }
  Server.prototype = Original.prototype
  Object.setPrototypeOf(Server, Original)
  module.Server = Server
  module.createServer = (...args) => new Server(...args)
}

replace(http)
replace(https)
syncBuiltinESMExports()

process.on('exit', () => {
  for (const engine of engines) requests += engine.counts().requests
  if (process.env.COMPAT_COUNT && requests > 0) appendFileSync(process.env.COMPAT_COUNT, `${requests}\n`)
})
