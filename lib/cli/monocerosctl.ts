#!/usr/bin/env node
/** monocerosctl: speaks to a running monoceros from a shell. See docs/control.md. */
import { ask } from '../control/client.ts'
import { type CtlArguments, parseArguments } from './ctl/arguments.ts'
import { complete } from './ctl/completion.ts'
import type { Context } from './ctl/context.ts'
import { EXIT } from './ctl/exit.ts'
import { findSockets } from './ctl/find.ts'
import { interactive } from './ctl/interactive.ts'
import { run } from './ctl/run.ts'

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === '__complete') return printCompletions(argv.slice(1))
  const parsed = parseArguments(argv)
  if (parsed.kind === 'wrong') {
    process.stderr.write(`monocerosctl: ${parsed.error}\n`)
    return EXIT.usage
  }
  const given = parsed.arguments
  if (given.help) return run(['help'], IO, never)
  if (given.words.length > 0) {
    const cancelled = new AbortController()
    process.once('SIGINT', () => cancelled.abort())
    return run(given.words, IO, () => open(given, cancelled.signal))
  }
  return interactive({
    input: process.stdin,
    output: process.stdout,
    env: process.env,
    run: (words, cancelled) => run(words, IO, () => open(given, cancelled)),
    names: () => companionNames(given),
  })
}

const IO = { out: process.stdout, err: process.stderr }

const never = (): Promise<Context> => Promise.reject(new Error('no command runs here'))

async function open(given: CtlArguments, cancelled: AbortSignal): Promise<Context> {
  const { socket, instance, json } = given
  const sockets = await findSockets({ socket, instance, env: process.env, cwd: here(), uid: process.geteuid!() })
  const colours = given.colour ?? (process.stdout.isTTY === true && !process.env.NO_COLOR)
  return { ...IO, sockets, json, colours, cancelled }
}

/** Where it is called; in a folder that was deleted, as after a deployment, `/`: nothing was started from there. */
function here(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

/** Completion must not fail in somebody's face: without an answer there are no names. */
async function companionNames(given: CtlArguments): Promise<string[]> {
  try {
    const { sockets } = await open(given, new AbortController().signal)
    if (sockets.manager === null) return []
    const answer = await ask(sockets.manager, { cmd: 'status' }, { silence: 1000 })
    return answer.ok ? (answer.companions as { name: string }[]).map((one) => one.name) : []
  } catch {
    return []
  }
}

/** What the completion scripts ask: one choice a line. The last word is the one to complete. */
async function printCompletions(argv: readonly string[]): Promise<number> {
  const last = argv.at(-1) ?? ''
  const parsed = parseArguments(argv.slice(0, -1))
  if (parsed.kind === 'wrong') return EXIT.usage
  const words = [...parsed.arguments.words, last]
  const names = words.length > 1 ? await companionNames(parsed.arguments) : []
  process.stdout.write(
    complete(words, names)
      .map((word) => `${word}\n`)
      .join(''),
  )
  return EXIT.done
}

// A reader that went away (monocerosctl tail | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exitCode = EXIT.done
})
main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
