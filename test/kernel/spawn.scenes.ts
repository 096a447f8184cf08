/** Children of the real kernel: what they are given, and what is said when they cannot be. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { childEnvironment } from '../../lib/kernel/environment.ts'
import type { Exit, SpawnError, SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, fd } from '../../lib/units.ts'
import { scratch } from '../support/scratch.ts'
import { ended, output, planOf, shell, WITH_KERNEL } from './children.ts'
import { realKernel } from './real.ts'

/** Prints the descriptors that it was given; a shell would have some of its own. */
const LIST = [process.env.LAUNCH!, 'fds']

/** dash knows but ten descriptors. */
const bash = (script: string) => ['/bin/bash', '-c', script]

function failure(plan: SpawnPlan): [string, string, string | undefined] {
  const kernel = realKernel()
  try {
    kernel.spawn(plan)
  } catch (thrown) {
    const error = thrown as SpawnError
    assert('stage' in error, String(error))
    assert(error.message.includes(error.path!) && error.message.includes(error.stage), error.message)
    assert.deepEqual(kernel.reapStrangers([]), { exits: [], blocked: false })
    return [error.stage, error.code, error.path]
  }
  assert.fail('it was spawned')
}

/** Opens, not close-on-exec, whatever can still be opened; returns one of those. */
function fill(): Fd {
  const kernel = realKernel()
  for (let last = fd(-1); ; ) {
    try {
      last = fd(openSync('/dev/null', 'r+'))
      kernel.setCloseOnExec(last, false)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE')
      return last
    }
  }
}

export const scenes = {
  'a missing folder is the stage cwd': () =>
    assert.deepEqual(failure(shell('', { cwd: '/no/such/folder' })), ['cwd', 'ENOENT', '/no/such/folder']),

  'a limit above its own maximum is the stage limits': () => {
    const limits = [{ resource: 'CORE', soft: 2, hard: 1 }]
    assert.deepEqual(failure(shell('', { limits })), ['limits', 'EINVAL', '/bin/sh'])
  },

  'the limit that was refused is named': () => {
    const fine = { resource: 'CORE', soft: 0, hard: 1 }
    const refused = { resource: 'NOFILE', soft: 2, hard: 1 }
    for (const limits of [[refused], [fine, refused], [refused, { ...refused, resource: 'CPU' }]])
      assert.throws(() => realKernel().spawn(shell('', { limits })), {
        message: "spawn '/bin/sh' failed at limits (NOFILE): EINVAL, invalid argument",
      })
  },

  'a limit that does not exist is refused before anything is started': () => {
    const limits = [{ resource: 'BEER', soft: 2, hard: 1 }]
    assert.deepEqual(failure(shell('', { limits })), ['limits', 'EINVAL', '/bin/sh'])
  },

  'a user that we may not become is the stage identity': () => {
    process.setgid!(65534)
    process.setuid!(65534)
    assert.deepEqual(failure(shell('', { uid: 0 })), ['identity', 'EPERM', '/bin/sh'])
    assert.deepEqual(failure(shell('', { groups: [0] })), ['identity', 'EPERM', '/bin/sh'])
  },

  'a process too many is the stage fork': () => {
    realKernel().setLimit({ resource: 'NPROC', soft: 0, hard: 0 })
    process.setuid!(65534)
    assert.deepEqual(failure(shell('')), ['fork', 'EAGAIN', '/bin/sh'])
  },

  'a file that is no program is the stage exec': () => {
    const file = `${scratch()}/text`
    writeFileSync(file, 'no program')
    assert.deepEqual(failure(planOf([file])), ['exec', 'EACCES', file])
    assert.deepEqual(failure(planOf(['/'])), ['exec', 'EACCES', '/'])
    assert.deepEqual(failure(planOf(['/bin/sh', 'x'.repeat(3_000_000)])), ['exec', 'E2BIG', '/bin/sh'])
  },

  'a full table of descriptors is the stage fds, and where no new one is needed the child starts': async () => {
    const kernel = realKernel()
    kernel.openSignals(['SIGCHLD'])
    const file = `${scratch()}/out`
    const high = fd(90)
    kernel.dup2(kernel.openAppend(file), high)
    kernel.setLimit({ resource: 'NOFILE', soft: 100, hard: 100 })
    const opened = fill()
    const plan = { file: LIST[0]!, argv: LIST, env: {} }
    assert.deepEqual(failure({ ...plan, fds: [0, 1, 2].map((to) => ({ from: fd(2), to })) }), [
      'fds',
      'EMFILE',
      LIST[0],
    ])
    const child = kernel.spawn({ ...plan, fds: [0, 1, 2].map((to) => ({ from: high, to })) })
    kernel.close(opened)
    assert.equal((await ended(kernel, child)).code, 0)
    assert.equal(readFileSync(file, 'utf8'), '0\n1\n2\n')
  },

  'a NUL in a string is refused, not cut off': () => {
    for (const plan of [shell('a\0b'), shell('', { env: { A: 'a\0b' } }), shell('', { cwd: '/\0tmp' })])
      assert.throws(() => realKernel().spawn(plan), { code: 'EINVAL' })
  },

  'descriptors can be swapped, moved in a circle and kept where they are': async () => {
    const kernel = realKernel()
    const folder = scratch()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => kernel.openAppend(`${folder}/${name}`)) as [never, never, never]
    const script = `echo at ${a} >&${a}; echo at ${b} >&${b}; echo at ${c} >&${c}; echo at 1; echo at 2 >&2`
    const circle = [
      { from: a, to: b },
      { from: b, to: c },
      { from: c, to: a },
    ]
    const crossed = [
      { from: kernel.openAppend(`${folder}/2`), to: 1 },
      { from: kernel.openAppend(`${folder}/1`), to: 2 },
    ]
    assert.equal((await ended(kernel, kernel.spawn(planOf(bash(script), { more: [...circle, ...crossed] })))).code, 0)
    const held = ['a', 'b', 'c', '1', '2'].map((name) => readFileSync(`${folder}/${name}`, 'utf8').trim())
    assert.deepEqual(held, [`at ${b}`, `at ${c}`, `at ${a}`, 'at 2', 'at 1'])
    assert.equal(await output(kernel, LIST, { more: [{ from: a, to: a }] }), `0\n1\n2\n${a}\n`)
  },

  'standard output and standard error can be exchanged': async () => {
    const kernel = realKernel()
    const folder = scratch()
    for (const [number, name] of [
      [1, 'out'],
      [2, 'err'],
    ] as const) {
      kernel.dup2(kernel.openAppend(`${folder}/${name}`), number)
    }
    const fds = [
      { from: fd(0), to: 0 },
      { from: fd(1), to: 2 },
      { from: fd(2), to: 1 },
    ]
    await ended(kernel, kernel.spawn(shell('echo one; echo two >&2', { fds })))
    assert.equal(readFileSync(`${folder}/err`, 'utf8'), 'one\n')
    assert.equal(readFileSync(`${folder}/out`, 'utf8'), 'two\n')
  },

  'a child has no descriptor but those in the plan': async () => {
    const kernel = realKernel()
    const stray = [61, 77, 300, 1000].map((number) => {
      kernel.dup2(fd(2), number) // not close-on-exec
      return fd(number)
    })
    for (const one of stray) fstatSync(one)
    assert.equal(
      await output(kernel, LIST, {
        more: [{ from: fd(77), to: 5 }],
      }),
      '0\n1\n2\n5\n',
    )
  },

  'the program, arguments, environment, folder and umask are those of the plan': async () => {
    const kernel = realKernel()
    const folder = scratch()
    const script = 'echo "$0|$1|$2"; env | sort; pwd; umask'
    const env = { ONE: '1', EMPTY: '', PATH: '/usr/bin:/bin' }
    const argv = ['sh', '-c', script, 'zero', 'one two', '']
    const text = await output(kernel, '', { argv, env, cwd: folder, umask: 0o137 })
    assert.equal(text, `zero|one two|\nEMPTY=\nONE=1\nPATH=/usr/bin:/bin\nPWD=${folder}\n${folder}\n0137\n`)
  },

  'a child gets the limits of the plan and we keep ours': async () => {
    const kernel = realKernel()
    const before = kernel.getLimit('NOFILE')
    const limits = [
      { resource: 'NOFILE', soft: 64, hard: 128 },
      { resource: 'CORE', soft: 0, hard: null },
    ]
    assert.equal(
      await output(kernel, 'ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc', { limits }),
      '64\n128\n0\nunlimited\n',
    )
    assert.deepEqual(kernel.getLimit('NOFILE'), before)
  },

  'a child is who the plan says, with the groups that it says': async () => {
    const kernel = realKernel()
    const text = await output(kernel, 'grep -E "^(Uid|Gid|Groups|CapEff)" /proc/self/status', {
      uid: 1234,
      gid: 2345,
      groups: [7, 8],
    })
    assert.deepEqual(text.replaceAll(/[\t ]+/g, ' ').split(/ ?\n/), [
      'Uid: 1234 1234 1234 1234',
      'Gid: 2345 2345 2345 2345',
      'Groups: 7 8',
      'CapEff: 0000000000000000',
      '',
    ])
    assert.deepEqual([process.getuid!(), process.getgid!()], [0, 0])
  },

  'a child leads a session or a group where the plan says so': async () => {
    const kernel = realKernel()
    const own = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')
    const kin = async (leader?: 'session' | 'group') => {
      const text = await output(kernel, 'echo $$; cat /proc/$$/stat', leader === undefined ? {} : { leader })
      const [pid, stat] = text.split('\n') as [string, string]
      const [, , group, session] = stat.split(') ')[1]!.split(' ')
      return [group === pid, session === pid, group === own[2], session === own[3]]
    }
    assert.deepEqual(await kin(), [false, false, true, true])
    assert.deepEqual(await kin('group'), [true, false, false, true])
    assert.deepEqual(await kin('session'), [true, true, false, false])
  },

  'two thousand spawns in a storm of signals all succeed': async () => {
    const kernel = realKernel()
    const signals = kernel.openSignals(['SIGUSR2', 'SIGCHLD'])
    let heard = 0
    const watch = kernel.watch(signals, 'readable', () => {
      heard += kernel.readSignals().filter(({ signal }) => signal === 'SIGUSR2').length
    })
    const storm = kernel.spawn(shell(`while kill -USR2 ${process.pid}; do :; done`))
    const living = new Set<number>()
    const codes = new Map<number | null, number>()
    for (let spawned = 0; spawned < 2000 || living.size > 0; ) {
      if (spawned < 2000 && living.size < 50) {
        living.add(kernel.spawn(planOf(['/bin/true'])))
        spawned++
      }
      for (const exit of kernel.reap([...living] as never)) {
        living.delete(exit.pid)
        codes.set(exit.code, (codes.get(exit.code) ?? 0) + 1)
      }
      await new Promise(setImmediate)
      assert.deepEqual(kernel.checkSignals(), [])
    }
    watch.close()
    kernel.kill(storm, 'SIGKILL')
    await ended(kernel, storm)
    assert.deepEqual([...codes], [[0, 2000]])
    assert(heard > 100, `only ${heard} signals`)
  },
}

/** What a Node prints that spawns a shell which would make the file, and meets this fault between fork and exec. */
const faulty = (fault: string, file: string): Parameters<typeof planOf> => {
  const at = `${scratch()}/fault`
  writeFileSync(at, fault)
  const plan = JSON.stringify(shell(`: > ${file}`, { fds: [0, 1, 2].map((to) => ({ from: fd(to), to })) }))
  const code = `try { kernel.spawn(${plan}) } catch ({ stage, code }) { console.log(stage, code, JSON.stringify(kernel.reapStrangers([]))) }`
  const env = { ...childEnvironment(process.env), LD_PRELOAD: process.env.FAULTS!, FAULTS_AT: at }
  return [[process.execPath, '-e', WITH_KERNEL + code], { env }]
}

/** With `faults.c` in FAULTS, for the process that spawns. */
export const orphaned = {
  'a child whose parent is gone before it execs never becomes the program, and ends with 127': async () => {
    const kernel = realKernel()
    kernel.becomeSubreaper()
    const file = `${scratch()}/made`
    const parent = kernel.spawn(planOf(...faulty('gone before exec', file)))
    assert.equal((await ended(kernel, parent)).signal, 'SIGKILL')
    const left: Exit[] = []
    for (; left.length === 0; left.push(...kernel.reapStrangers([]).exits))
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual([left.length, left[0]!.code, left[0]!.signal], [1, 127, null])
    assert(!existsSync(file))
  },

  'a child that has another parent than it was told is the stage parent': async () => {
    const file = `${scratch()}/made`
    const [argv, extra] = faulty('another before exec', file)
    assert.equal(await output(realKernel(), argv, extra), 'parent ESRCH {"exits":[],"blocked":false}\n')
    assert(!existsSync(file))
  },
}

/** Under a Node that has the capability to change its user but is not root: root could not tell. */
export const capable = {
  'we can still be traced and dumped after a child has changed its user': async () => {
    const kernel = realKernel()
    assert.equal(statSync('/proc/self/fd').uid, 65534)
    assert.equal(await output(kernel, 'id -u', { uid: 65533 }), '65533\n')
    assert.equal(statSync('/proc/self/fd').uid, 65534, '/proc/self/fd of an undumpable process belongs to root')
  },
}

/** In a mount namespace of its own, where close_range(2) is missing. */
export const hidden = {
  'a child has no descriptor but those in the plan, although /proc cannot be read': async () => {
    execFileSync('mount', ['-t', 'tmpfs', 'none', '/proc'])
    assert.throws(() => readFileSync('/proc/self/status'))
    await scenes['a child has no descriptor but those in the plan']()
  },
}

/** Under a parent that ignored and blocked every signal. */
export const deaf = {
  'a child has no signal ignored, caught or blocked': async () => {
    assert.match(readFileSync('/proc/self/status', 'utf8'), /SigIgn:\s*fffffff[ef]/, 'ours are as the test wants them')
    const text = await output(realKernel(), ['/bin/cat', '/proc/self/status'])
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt']) assert.match(text, new RegExp(`${set}:\\s*0+\n`))
  },
}
