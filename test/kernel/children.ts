/** What the scenes with real children share. */
import assert from 'node:assert/strict'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment } from '../../lib/kernel/environment.ts'
import type { Exit, Kernel, SpawnPlan } from '../../lib/kernel/kernel.ts'
import { type Fd, fd, type Pid } from '../../lib/units.ts'

/** Node with the addon of this checkout as `kernel`; for `node -e`. */
export const WITH_KERNEL = `const kernel = require(${JSON.stringify(
  join(__dirname, '..', '..', 'dist', 'kernel', 'addon.js'),
)}).loadKernel();`

export type Extra = Partial<SpawnPlan> & { readonly more?: readonly { readonly from: Fd; readonly to: number }[] }

/** A plan for a program with nothing to read and our stderr; what it prints goes there too, or to `more`. */
export function planOf(argv: readonly string[], { more = [], ...extra }: Extra = {}): SpawnPlan {
  const taken = new Set(more.map(({ to }) => to))
  const standard = [fd(openSync('/dev/null', 'r+')), fd(2), fd(2)].map((from, to) => ({ from, to }))
  return {
    file: argv[0]!,
    argv,
    env: childEnvironment(process.env),
    fds: [...standard.filter(({ to }) => !taken.has(to)), ...more],
    parentDeathSignal: 'SIGKILL',
    ...extra,
  }
}

/** The same for a shell script. */
export const shell = (script: string, extra?: Extra): SpawnPlan => planOf(['/bin/sh', '-c', script], extra)

/** Waits for the child and reaps it. */
export async function ended(kernel: Kernel, child: Pid): Promise<Exit> {
  const signals = kernel.openSignals(['SIGCHLD'])
  for (;;) {
    const [exit] = kernel.reap([child])
    if (exit !== undefined) return exit
    await new Promise<void>((resolve) => {
      const watch = kernel.watch(signals, 'readable', () => {
        kernel.readSignals()
        watch.close()
        resolve()
      })
    })
  }
}

/** What a shell script, or a program with its arguments, prints on descriptor 1; it must end with 0. */
export async function output(kernel: Kernel, what: string | readonly string[], extra: Extra = {}): Promise<string> {
  const { read, write } = kernel.pipe()
  const more = [...(extra.more ?? []), { from: write, to: 1 }]
  const child = kernel.spawn(planOf(typeof what === 'string' ? ['/bin/sh', '-c', what] : what, { ...extra, more }))
  kernel.close(write)
  const exit = await ended(kernel, child)
  assert.deepEqual([exit.code, exit.signal], [0, null])
  const text = readFileSync(read, 'utf8')
  kernel.close(read)
  return text
}
