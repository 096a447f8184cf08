/**
 * A control server in a process of its own. argv: the path, then options as JSON. Prints a line when it serves, and one
 * for each command that it runs; `release` answers what `hold` holds.
 */
const { loadKernel } = require('../../dist/kernel/addon.js')
const { command } = require('../../dist/control/protocol.js')
const { openControl } = require('../../dist/control/server.js')
const { optional, text } = require('../../dist/control/keys.js')

const [path, options = '{}'] = process.argv.slice(2)
const { uid, mode, most } = JSON.parse(options)
const held = []
const say = (line) => process.stdout.write(`${line}\n`)
const name = text('a name')
const commands = {
  echo: command({ name: optional(name) }, (values) => {
    say(`echo ${values.name ?? ''}`)
    return { ok: true, ...values }
  }),
  pid: command({}, () => ({ ok: true, pid: process.pid })),
  big: command({}, () => ({ ok: true, data: 'x'.repeat(4_000_000) })),
  throw: command({}, () => {
    throw new Error('broken on purpose')
  }),
  hold: command({}, (_values, asker) => {
    asker.gone.addEventListener('abort', () => say('gone'))
    say('held')
    return new Promise((resolve) => held.push(resolve))
  }),
  release: command({}, () => {
    for (const resolve of held.splice(0)) resolve({ ok: true, released: true })
    return { ok: true }
  }),
  flood: command({}, async (_values, asker) => {
    let sent = 0
    while (!asker.gone.aborted) {
      await asker.send({ ok: true, more: true, data: 'y'.repeat(1_000_000) })
      if (++sent > 100) say('flooded')
    }
    say(`flood ended after ${sent}`)
    return { ok: true }
  }),
}
try {
  // Loaded as root: the other user may not be let into this folder.
  const kernel = loadKernel()
  if (uid !== undefined) process.setuid(uid)
  const server = openControl({
    path,
    kernel,
    commands,
    failed: (error) => say(`failed: ${error.message}`),
    ...(most ? { most } : {}),
  })
  if (mode !== undefined) require('node:fs').chmodSync(path, mode)
  process.on('SIGTERM', () => {
    server.close()
    say('closed')
    setTimeout(() => process.exit(0), 100).unref()
  })
  say('serving')
} catch (error) {
  say(`${error.name}: ${error.message}`)
}
