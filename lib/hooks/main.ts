/** The process that runs the config file's hooks: joins the arbiter, loads the file, calls what it is told to. */
import { pathToFileURL } from 'node:url'
import { Channel } from '../channel/channel.ts'
import { type FromHooks, HOOKS_PROTOCOL, type HooksGo, TO_HOOKS, type ToHooks } from '../channel/hook-messages.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { exportedConfig } from '../config/exported.ts'
import { loadKernel } from '../kernel/addon.ts'
import { fd, ms } from '../units.ts'
import { described, type Functions, Runner } from './runner.ts'

/** How long the arbiter may take to say what is to be loaded. */
const PATIENCE = ms(30_000)

async function main(): Promise<void> {
  const kernel = loadKernel()
  const { [CHANNEL_VARIABLE]: number } = process.env
  delete process.env[CHANNEL_VARIABLE]
  if (number === undefined) {
    process.stderr.write('monoceros: the hooks are run by the arbiter, not by hand\n')
    process.exit(2)
  }
  // Else every program that a hook starts would hold the channel.
  kernel.setCloseOnExec(fd(Number(number)), true)
  const channel = new Channel<ToHooks, FromHooks>(kernel, fd(Number(number)), TO_HOOKS)
  const first = channel.wait((message): message is HooksGo => message.kind === 'go', PATIENCE)
  // The arbiter is gone, hangs, or is another version's.
  if (first === null || first === 'end' || first.message.protocol !== HOOKS_PROTOCOL) process.exit(1)
  const { arbiter, file } = first.message
  if (kernel.getppid() !== arbiter) process.exit(1)
  kernel.setProcessName('monoceros: hooks')

  let runner: Runner | null = null
  channel.open({
    message(message, fds) {
      if (message.kind === 'call') void runner?.run(message)
      else if (message.kind === 'reopen')
        for (const [at, name] of message.files.entries()) kernel.dup2(fds[at]!, name === 'stdout' ? 1 : 2)
      else if (message.kind === 'stop') {
        if (runner === null) process.exit()
        runner.whenIdle(() => process.exit())
      }
      for (const one of fds) kernel.close(one)
    },
    ended: () => process.exit(),
    garbled: () => undefined,
  })
  channel.send({ kind: 'announced', pid: process.pid })
  try {
    const functions = await hooksOf(file)
    runner = new Runner(functions, (answer) => void channel.send(answer))
    channel.send({ kind: 'ready' })
  } catch (error) {
    channel.send({ kind: 'unusable', ...described(error) })
    process.exit(1)
  }
}

async function hooksOf(file: string): Promise<Functions> {
  const url = pathToFileURL(file).href
  const config = (await exportedConfig(await import(url))) as { readonly hooks?: Functions } | undefined
  return config?.hooks ?? {}
}

void main()
