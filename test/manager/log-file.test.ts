import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { start } from '../support/process.ts'

/** Runs a script with `LogFiles`, `kernel`, `folder` and what was said of trouble; prints what it returns. */
async function play(folder: string, script: string): Promise<unknown> {
  const code = `
    const { LogFiles } = require('${join(__dirname, '../../dist/manager/log-file.js')}')
    const kernel = require('${join(__dirname, '../../dist/kernel/addon.js')}').loadKernel()
    const said = []
    const files = new LogFiles(kernel, (...trouble) => said.push(trouble))
    const log = '${join(folder, 'log')}'
    const fs = require('node:fs')
    const bytes = (text) => Buffer.from(text)
    const result = (() => { ${script} })()
    console.log(JSON.stringify(result ?? said))`
  const program = start(process.execPath, ['-e', code])
  await program.ended()
  if (program.stderr !== '') throw new Error(program.stderr)
  return JSON.parse(program.stdout)
}

describe('a log file that the manager writes', () => {
  it('is rotated before it would grow over its size, the youngest being .1, and no more are kept than asked for', async () => {
    const folder = temporaryFolder()
    await play(
      folder,
      `const file = files.take(log, { maxBytes: 4, backups: 2 }); for (const one of ['aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'gggggg', 'h']) file.write(bytes(one))`,
    )
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    expect([read('log'), read('log.1'), read('log.2')]).toEqual(['h', 'gggggg', 'eeff'])
    expect(existsSync(join(folder, 'log.3'))).toBe(false)
  })

  it('is emptied where no backups are kept, and never rotated where no size is set', async () => {
    const folder = temporaryFolder()
    await play(
      folder,
      `const file = files.take(log, { maxBytes: 4, backups: 0 }); for (const one of ['aa', 'bb', 'cc']) file.write(bytes(one))`,
    )
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('cc')
    await play(
      folder,
      `const file = files.take(log, { maxBytes: 0, backups: 3 }); for (let n = 0; n < 100; n++) file.write(bytes('0123456789'))`,
    )
    expect(readFileSync(join(folder, 'log'), 'utf8')).toHaveLength(1002)
  })

  it('counts what was there before', async () => {
    const folder = temporaryFolder({ log: 'old' })
    await play(folder, `files.take(log, { maxBytes: 4, backups: 1 }).write(bytes('new'))`)
    expect(readFileSync(join(folder, 'log.1'), 'utf8')).toBe('old')
  })

  it('is one for all who write to it, and closed when the last of them is gone', async () => {
    const folder = temporaryFolder()
    const result = await play(
      folder,
      `const before = kernel.listFds().length
       const one = files.take(log, { maxBytes: 4, backups: 1 }), two = files.take(log, { maxBytes: 4, backups: 1 })
       one.write(bytes('aaaa')); two.write(bytes('bbbb')); one.write(bytes('c'))
       const counts = [kernel.listFds().length - before]
       files.giveBack(one); counts.push(kernel.listFds().length - before)
       files.giveBack(two); counts.push(kernel.listFds().length - before)
       return counts`,
    )
    expect(result).toEqual([1, 1, 0])
    expect(readFileSync(join(folder, 'log'), 'utf8') + readFileSync(join(folder, 'log.1'), 'utf8')).toBe('cbbbb')
  })

  it('goes on in the old file where it cannot be opened anew, and says so', async () => {
    const folder = temporaryFolder()
    const result = await play(
      folder,
      `fs.mkdirSync(log + '.d'); const path = log + '.d/log'
       const file = files.take(path, { maxBytes: 0, backups: 0 })
       file.write(bytes('a')); fs.renameSync(log + '.d', log + '.e')
       const problems = files.reopen()
       file.write(bytes('b'))
       return [problems.length, problems[0].includes('ENOENT'), fs.readFileSync(log + '.e/log', 'utf8')]`,
    )
    expect(result).toEqual([1, true, 'ab'])
  })

  it('that is a full disk or a FIFO without a reader loses what cannot be written, says so once, and waits for nobody', async () => {
    const full = await play(
      temporaryFolder(),
      `const file = files.take('/dev/full', { maxBytes: 0, backups: 0 }); file.write(bytes('aaa')); file.write(bytes('bb'))`,
    )
    expect(full).toEqual([['/dev/full', expect.stringContaining('ENOSPC'), 0]])
    const fifo = await play(
      temporaryFolder(),
      `require('node:child_process').execFileSync('mkfifo', [log])
       const reader = fs.openSync(log, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
       const file = files.take(log, { maxBytes: 0, backups: 0 })
       for (let n = 0; n < 3; n++) file.write(Buffer.alloc(50_000))
       fs.readSync(reader, Buffer.alloc(65_536))
       file.write(bytes('again'))`,
    )
    expect(fifo).toEqual([
      [expect.any(String), expect.stringContaining('EAGAIN'), 0],
      [expect.any(String), null, expect.any(Number)],
    ])
  })
})
