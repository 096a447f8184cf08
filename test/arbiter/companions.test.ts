/** The arbiter's rows of the table of companions (docs/companions.md), with a real arbiter, workers and manager. */
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask as question } from '../../lib/control/client.ts'
import type { Answer } from '../../lib/control/protocol.ts'
import { temporaryFolder } from '../support/folder.ts'
import { childrenOf, isAlive, targetsOf } from '../support/proc.ts'
import { dist, start } from '../support/process.ts'
import { until } from '../support/until.ts'
import { APP, type Service, serve } from './service.ts'

const STUBBORN = ['sh', '-c', 'trap "" TERM; echo "$NAME here $$"; while :; do sleep 0.05; done']
const named = (name: string, more: object = {}) => ({
  name,
  command: ['sh', '-c', `trap 'echo ${name} told; exit' TERM; echo "${name} here $$"; while :; do sleep 0.05; done`],
  ...more,
})

type Setup = Service & {
  configure(companions: readonly object[], more?: object): void
  manager(cmd: string, keys?: object): Promise<Answer>
  arbiter(cmd: string, keys?: object): Promise<Answer>
  managerPid(): Promise<number>
}

async function setUp(
  companions: readonly object[],
  more: object = {},
  files: Record<string, string> = {},
): Promise<Setup> {
  const text = (list: readonly object[], settings: object): string =>
    JSON.stringify({
      controlSocket: 'a.sock',
      companionControlSocket: 'm.sock',
      startsecs: '50ms',
      companionStartsecs: '50ms',
      ...settings,
      companions: list,
    })
  const service = serve(['-c', 'c.json'], { files: { 'c.json': text(companions, more), ...files } })
  // Readable for workers and companions of another user.
  chmodSync(service.folder, 0o755)
  await service.program.line(companions.length > 0 ? 'manager is up' : 'all workers are ready')
  const path = (name: string): string => join(service.folder, name)
  const manager: Setup['manager'] = (cmd, keys = {}) => question(path('m.sock'), { cmd, ...keys })
  return {
    ...service,
    configure: (list, settings = {}) => writeFileSync(path('c.json'), text(list, { ...more, ...settings })),
    manager,
    arbiter: (cmd, keys = {}) => question(path('a.sock'), { cmd, ...keys }, { silence: null }),
    managerPid: async () => ((await manager('version')) as unknown as { pid: number }).pid,
  }
}
const hereOf = async ({ program }: Service, name: string, after = 0): Promise<number> =>
  Number((await program.line(new RegExp(`^${name} here (\\d+)$`), after))[1])

describe('a reload', () => {
  it('drains the manager when the new workers are good, and starts it from the new configuration', async () => {
    const service = await setUp([named('old')])
    const before = await hereOf(service, 'old')
    service.configure([named('new')])
    const mark = service.program.mark()
    service.program.signal('SIGHUP')
    await service.program.line('old told', mark)
    await hereOf(service, 'new', mark)
    expect(isAlive(before)).toBe(false)
    const said = service.program.output.slice(mark)
    expect(said.indexOf('generation=2')).toBeLessThan(said.indexOf('companion manager asked to leave'))
    expect(await service.manager('status', { name: 'old' })).toMatchObject({ ok: false })
  })

  it('whose workers fail leaves the companions as they are', async () => {
    const service = await setUp([named('a')], { bootTimeout: '5s' })
    const before = await hereOf(service, 'a')
    const manager = await service.managerPid()
    writeFileSync(join(service.folder, 'app.js'), 'throw new Error("broken")')
    expect(await service.arbiter('reload')).toMatchObject({ ok: false, kept_old_config: true })
    expect(await service.managerPid()).toBe(manager)
    expect(isAlive(before)).toBe(true)
  })

  it('with reloadCompanions: changed leaves the manager alone until its companions or the app’s file change', async () => {
    const service = await setUp([named('a')], { reloadCompanions: 'changed' })
    await hereOf(service, 'a')
    const first = await service.managerPid()
    expect(await service.arbiter('reload')).toMatchObject({ ok: true })
    expect(await service.managerPid()).toBe(first)
    service.configure([named('a'), named('b')])
    expect(await service.arbiter('reload')).toMatchObject({ ok: true })
    await hereOf(service, 'b')
    const second = await service.managerPid()
    expect(second).not.toBe(first)
    const mark = service.program.mark()
    writeFileSync(join(service.folder, 'app.js'), `${APP}\n// changed`)
    expect(await service.arbiter('reload')).toMatchObject({ ok: true })
    await hereOf(service, 'b', mark)
    expect(await service.managerPid()).not.toBe(second)
  })

  it('starts companions at once where there were none, and ends the manager where there are none any more', async () => {
    const service = await setUp([])
    expect(childrenOf(service.program.pid)).toHaveLength(1)
    service.configure([named('a')])
    service.program.signal('SIGHUP')
    const pid = await hereOf(service, 'a')
    await service.program.line('manager is up')
    service.configure([])
    service.program.signal('SIGHUP')
    await service.program.line('companion manager exited with code 0')
    expect(isAlive(pid)).toBe(false)
    expect(await service.arbiter('version')).toMatchObject({ companion_socket: null })
  })
})

describe('the end of monoceros', () => {
  it('stops workers and companions together, and kills what does not stop in its time', async () => {
    const stubborn = { name: 'stubborn', command: STUBBORN, env: { NAME: 'stubborn' }, stopTimeout: '300ms' }
    const service = await setUp([named('polite', { stopTimeout: '9s' }), stubborn])
    const pids = [await hereOf(service, 'polite'), await hereOf(service, 'stubborn'), await service.managerPid()]
    service.program.signal('SIGTERM')
    expect(await service.program.ended()).toEqual({ code: 0, signal: null })
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
    expect(service.program.output).toContain('polite told')
    expect(existsSync(join(service.folder, 'm.sock'))).toBe(false)
  })

  it('at QUIT kills companions at once', async () => {
    const service = await setUp([{ name: 'stubborn', command: STUBBORN, env: { NAME: 'stubborn' }, stopTimeout: '1h' }])
    const pid = await hereOf(service, 'stubborn')
    service.program.signal('SIGQUIT')
    expect(await service.program.ended()).toEqual({ code: 0, signal: null })
    expect(isAlive(pid)).toBe(false)
  })

  it('by SIGKILL leaves no worker, no manager, no companion and nothing that it has started', async () => {
    const script = 'trap "" TERM; sleep 1001 & echo "a here $$ $!"; while :; do wait; done'
    const service = await setUp([{ name: 'a', command: ['sh', '-c', script], stopTimeout: '1h' }])
    const [, leader, child] = await service.program.line(/^a here (\d+) (\d+)$/)
    const pids = [...service.children(), Number(leader), Number(child)]
    expect(pids).toHaveLength(4)
    service.program.signal('SIGKILL')
    for (const pid of pids) await until(() => !isAlive(pid))
  })

  it('has the exit code of a companion that it cannot do without', async () => {
    const service = await setUp([
      {
        name: 'needed',
        command: ['sh', '-c', 'sleep 0.3; exit 42'],
        startsecs: '1h',
        startretries: 0,
        onFatal: 'exit',
      },
    ])
    expect(await service.program.ended()).toEqual({ code: 42, signal: null })
    expect(service.program.output).toContain('companion needed is FATAL and its onFatal is exit')
  })
})

it('A program may open as many files as the shell allows that started monoceros, not as many as Node allows itself.', async () => {
  const show = (name: string, more: object = {}) =>
    named(name, { command: ['sh', '-c', `echo ${name} may open $(ulimit -Sn); exec sleep 1000`], ...more })
  const config = {
    companionControlSocket: 'm.sock',
    companions: [show('plain'), show('own', { limits: { NOFILE: 99 } })],
  }
  const folder = temporaryFolder({ 'app.js': APP, 'c.json': JSON.stringify(config) })
  const command = [process.execPath, dist('cli/monoceros.js'), 'app.js', '-b', `unix:${folder}/s`, '-c', 'c.json']
  const program = start('sh', ['-c', 'ulimit -Sn 321; "$@"; exit $?', 'sh', ...command], {
    cwd: folder,
    env: { XDG_RUNTIME_DIR: folder },
  })
  await program.line('plain may open 321')
  await program.line('own may open 99')
})

describe('a manager', () => {
  it('that is killed is started again when nothing of its companions is left', async () => {
    const script = 'sleep 1001 & echo "a here $$ $!"; wait'
    const service = await setUp([{ name: 'a', command: ['sh', '-c', script] }])
    const [, leader, child] = await service.program.line(/^a here (\d+) (\d+)$/)
    const mark = service.program.mark()
    process.kill(await service.managerPid(), 'SIGKILL')
    const [, again] = await service.program.line(/^a here (\d+) (\d+)$/, mark)
    for (const pid of [leader, child]) expect(isAlive(Number(pid))).toBe(false)
    expect(isAlive(Number(again))).toBe(true)
    expect((await service.get()).status).toBe(200)
  })

  it('holds no listener of the arbiter and no heartbeat, and a companion holds nothing of either', async () => {
    const service = await setUp([{ name: 'a', command: ['sh', '-c', 'echo "a here $$"; exec sleep 1000'] }])
    const companion = await hereOf(service, 'a')
    const manager = targetsOf(await service.managerPid())
    const arbiter = targetsOf(service.program.pid)
    const shared = manager.filter((link) => arbiter.includes(link) && !/^(\/dev\/|anon_inode:)/.test(link))
    // Its 1 and 2 are the arbiter's.
    expect(shared).toHaveLength(2)
    expect(manager.filter((link) => link.startsWith('/memfd:'))).toEqual([])
    expect(targetsOf(companion)).toEqual(['/dev/null', ...shared])
  })

  it('is told to reopen logs with everybody else', async () => {
    const jobs = `exports.run = async () => {
      process.on('SIGHUP', () => console.log('hup'))
      console.log('begun')
      await new Promise(() => setInterval(() => {}, 1e6))
    }`
    const service = await setUp([{ name: 'a', target: './jobs.js:run', stdout: 'log' }], {}, { 'jobs.js': jobs })
    const log = join(service.folder, 'log')
    const { readFileSync } = await import('node:fs')
    await until(() => existsSync(log) && readFileSync(log, 'utf8') === 'begun\n')
    renameSync(log, `${log}.1`)
    service.program.signal('SIGUSR1')
    await until(() => existsSync(log))
    await until(async () => {
      await service.manager('signal', { name: 'a', signal: 'HUP' })
      return readFileSync(log, 'utf8').includes('hup')
    })
    expect(readFileSync(`${log}.1`, 'utf8')).toMatch(/^begun\n(hup\n)*$/)
  })

  it('runs companions as the user and group of the workers', async () => {
    const service = await setUp(
      [{ name: 'a', command: ['sh', '-c', 'echo "$(id -un):$(id -gn) $HOME"; exec sleep 1000'], cwd: '/' }],
      {
        user: 'nobody',
        group: 'daemon',
      },
      {},
    )
    await service.program.line(/^nobody:daemon \/nonexistent$/)
  })
})

describe('a control socket that cannot be made', () => {
  it.each([
    ['in a directory that does not exist', 'none/a.sock', 'does not exist'],
    ['where a file is in the way', 'c.json', 'is in the way and is no socket; it was left as it is'],
  ])('%s is a warning, and monoceros serves', async (_where, path, warning) => {
    const service = serve(['-c', 'c.json'], {
      files: {
        'c.json': JSON.stringify({ controlSocket: path, companionControlSocket: path, companions: [named('a')] }),
      },
    })
    await service.program.lines(new RegExp(`warning +(arbiter|manager).*${warning.replaceAll('.', '\\.')}`), 2)
    await hereOf(service, 'a')
    expect((await service.get()).status).toBe(200)
  })

  it('in a folder for sockets that is open to others is a warning too', async () => {
    const tmp = join(serve([]).folder, 'tmp')
    mkdirSync(join(tmp, `monoceros-${process.getuid!()}`), { recursive: true })
    chmodSync(join(tmp, `monoceros-${process.getuid!()}`), 0o755)
    const service = serve([], { env: { TMPDIR: tmp, XDG_RUNTIME_DIR: undefined } })
    await service.program.line(/warning +arbiter.*has mode 755: it must be 700/)
    await service.program.line('all workers are ready')
    expect((await service.get()).status).toBe(200)
  })
})
