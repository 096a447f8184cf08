// Writes LINES numbered lines of WIDTH bytes to TARGET (a path, or `fd:N`), says on descriptor 3 what was dropped at that
// point (`socket` as the last argument: through the kernel's `writeNow`), and goes on when told so by a line on stdin: reopens, writes the line "after" and ends.
const { writeSync } = require('node:fs')
const { createLog } = require('../../dist/log/log.js')

const [target, lines, width, limit, socket] = process.argv.slice(2)
const where = target.startsWith('fd:') ? { fd: Number(target.slice(3)) } : { file: target }
const writeNow = socket && require('../../dist/kernel/addon.js').loadKernel().writeNow
const log = createLog({ ...where, role: 'arbiter', limit: Number(limit ?? 1e6), writeNow })
for (let number = 0; number < Number(lines); number += 1) log.info('x'.repeat(Number(width)), { number })
writeSync(3, `dropped=${log.dropped}\n`)
process.stdin.once('data', () => {
  log.reopen()
  log.info('after', { dropped: log.dropped })
  log.close()
  writeSync(3, 'over\n')
  process.exit()
})
