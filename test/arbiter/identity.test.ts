/** Bound as root, served as somebody else: real users and groups, as far as the rights of these tests go. */
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../support/http.ts'
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
