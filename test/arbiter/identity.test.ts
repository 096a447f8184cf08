/** Bound as root, served as somebody else: real users and groups, as far as the rights of these tests go. */
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { type Program, startMonoceros } from '../support/process.ts'
import { type Service, serve } from './service.ts'

const APP = `
require('node:http').createServer((req, res) => {
  const { HOME, USER, LOGNAME } = process.env
  const ids = [process.getuid(), process.geteuid(), process.getgid(), process.getegid()]
  res.end(JSON.stringify({ ids, groups: process.getgroups(), umask: process.umask(), HOME, USER, LOGNAME }))
}).listen(3000)
`
/** An entry of /etc/passwd: daemon is there on every Linux. */
const [, , uid, gid, , home] = readFileSync('/etc/passwd', 'utf8')
  .split('\n')
  .map((line) => line.split(':'))
  .find(([name]) => name === 'daemon')!

function as(args: readonly string[]): Service {
  const service = serve([...args, '--startsecs', '0'], { files: { 'app.js': APP } })
  chmodSync(service.folder, 0o755)
  return service
}

const startedAsRoot = (): void => {
  test('workers are the user, with its groups and its home, and the arbiter stays root', async () => {
    const service = as(['-u', 'daemon', '-b', '127.0.0.1:0'])
    await service.program.line('all workers are ready')
    const { ids, groups, HOME, USER, LOGNAME } = JSON.parse((await service.get()).body)
    expect(ids).toEqual([uid, uid, gid, gid].map(Number))
    expect(groups).toContain(Number(gid))
    expect(groups).not.toContain(0)
    expect([HOME, USER, LOGNAME]).toEqual([home, 'daemon', 'daemon'])
    expect(statSync(`/proc/${service.program.pid}`).uid).toBe(0)
  })

  test('a group and a umask of their own', async () => {
    const service = as(['-u', 'daemon', '-g', 'nogroup', '-m', '0027'])
    await service.program.line('all workers are ready')
    const { ids, umask } = JSON.parse((await service.get()).body)
    const nogroup = Number(/^nogroup:[^:]*:(\d+)/m.exec(readFileSync('/etc/group', 'utf8'))![1])
    expect(ids).toEqual([Number(uid), Number(uid), nogroup, nogroup])
    expect(umask).toBe(0o027)
  })

  test('the socket belongs to the user, with the mode that was asked for', async () => {
    const service = as(['-u', 'daemon', '--socket-mode', '0600'])
    await service.program.line('all workers are ready')
    const { uid: owner, gid: group, mode } = statSync(join(service.folder, 'http.sock'))
    expect([owner, group, mode & 0o777]).toEqual([Number(uid), Number(gid), 0o600])
  })

  test('a reload, a crash and a stop work although workers are somebody else', async () => {
    const service = as(['-u', 'daemon', '-w', '2'])
    await service.program.line('all workers are ready')
    service.program.signal('SIGHUP')
    await service.program.line('the new generation serves')
    const [, serving] = await service.program.line(/worker ready worker=2:0 pid=(\d+)/)
    const mark = service.program.mark()
    process.kill(Number(serving), 'SIGKILL')
    await service.program.line('worker ready', mark)
    expect(JSON.parse((await service.get()).body).ids[0]).toBe(Number(uid))
    service.program.signal('SIGTERM')
    expect(await service.program.ended()).toEqual({ code: 0, signal: null })
  })

  test('a port below 1024 is bound as root and served as the user', async () => {
    const service = as(['-u', 'daemon', '-b', '127.0.0.77:80'])
    await service.program.line('all workers are ready')
    const { body } = await ask({ host: '127.0.0.77', port: 80 })
    expect(JSON.parse(body).ids[0]).toBe(Number(uid))
  })

  /** Listens where it is told to, and says what came of it. */
  const ASKS = `
const server = require('node:http').createServer((req, res) => res.end('served'))
server.on('error', ({ code }) => console.log('refused ' + code))
server.listen(JSON.parse(process.env.ASKS), () => console.log('listens ' + process.getuid()))
`
  /** `asks`: for what the app asks, in a folder that the user may write to and beside one that it may not. */
  function asking(
    asks: (folder: string) => object,
    args: readonly string[] = [],
  ): { folder: string; program: Program } {
    const folder = temporaryFolder({ 'app.js': ASKS, 'own/.keep': '', 'closed/.keep': '' })
    chmodSync(folder, 0o755)
    chownSync(join(folder, 'own'), Number(uid), Number(gid))
    symlinkSync('../closed', join(folder, 'own', 'link'))
    const env = { XDG_RUNTIME_DIR: folder, ASKS: JSON.stringify(asks(folder)) }
    return {
      folder,
      program: startMonoceros(['app.js', '-u', 'daemon', '--startsecs', '0', ...args], { cwd: folder, env }),
    }
  }

  test.each([
    [
      'a port below 1024',
      () => ({ host: '127.0.0.78', port: 81 }),
      `uid ${uid}, which the app runs as, may not bind a port below`,
    ],
    ['a path in a folder of others', (folder: string) => ({ path: join(folder, 'closed', 'app.sock') }), 'EACCES'],
    [
      'a path behind a link to such a folder',
      (folder: string) => ({ path: join(folder, 'own', 'link', 'a') }),
      'EACCES',
    ],
  ])('an app that runs as an ordinary user is not given %s', async (_what, asks, why) => {
    const { folder, program } = asking(asks)
    await program.line('refused EACCES')
    expect((await program.line('cannot listen where the app asks to')).input).toContain(why)
    expect(readdirSync(join(folder, 'closed'))).toEqual(['.keep'])
  })

  test('an app that runs as an ordinary user is given what that user may have, and its socket is the user’s own', async () => {
    const { folder, program } = asking((own) => ({ path: join(own, 'own', 'app.sock') }), ['-w', '2'])
    await program.line('all workers are ready')
    const path = join(folder, 'own', 'app.sock')
    const { uid: owner, gid: group } = statSync(path)
    expect([owner, group]).toEqual([Number(uid), Number(gid)])
    expect((await ask({ path })).body).toBe('served')
    program.signal('SIGTERM')
    expect(await program.ended()).toEqual({ code: 0, signal: null })
    expect(readdirSync(join(folder, 'own'))).toEqual(['.keep', 'link'])
  })

  test('a port below 1024 that bind names is given to an app that asks for it too', async () => {
    const { program } = asking(() => ({ host: '127.0.0.78', port: 81 }), ['-b', '127.0.0.78:81'])
    await program.line('all workers are ready')
    expect((await ask({ host: '127.0.0.78', port: 81 })).body).toBe('served')
  })
}

const startedAsSomebody = (): void => {
  test('another user is refused in one line', async () => {
    const service = serve(['-u', 'daemon'])
    await service.program.line('monoceros: user: daemon needs the service to be started as root')
    expect((await service.program.ended()).code).toBe(2)
  })
}

if (process.getuid!() === 0) describe('started as root', startedAsRoot)
else describe('started as somebody else', startedAsSomebody)

test.each([
  [['-u', 'nobody-of-that-name'], 'user: there is no user "nobody-of-that-name" on this machine'],
  [['-g', 'no-such-group'], 'group: there is no group "no-such-group" on this machine'],
])('%s is one line and exit code 2', async (args, line) => {
  const service = serve(args)
  await service.program.line(`monoceros: ${line}`)
  expect((await service.program.ended()).code).toBe(2)
})
