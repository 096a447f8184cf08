/** The commands of monocerosctl: one row each. Help, completions and the interactive mode are made of the rows. */
import * as arbiter from './arbiter.ts'
import * as companions from './companions.ts'
import type { Context } from './context.ts'
import { upgrade } from './upgrade.ts'

export type CtlCommand = {
  /** What follows the command's word. */
  readonly usage: string
  readonly doc: string
  /** What its words may be completed with, in order; the last one repeats. */
  readonly completes: readonly Completion[]
  /** Resolves to the exit code. */
  readonly run: (context: Context, words: readonly string[]) => Promise<number>
}

export type Completion = 'companion' | 'signal' | 'state' | 'stream' | 'nothing'

export const COMMANDS = {
  status: {
    usage: '[NAME…]',
    doc: 'Workers and companions; exit code 3 where something does not run.',
    completes: ['companion'],
    run: arbiter.status,
  },
  start: { usage: 'NAME…', doc: 'Start companions.', completes: ['companion'], run: companions.control('start') },
  stop: {
    usage: 'NAME…',
    doc: 'Stop companions, until they are started again.',
    completes: ['companion'],
    run: companions.control('stop'),
  },
  restart: {
    usage: 'NAME…',
    doc: 'Stop companions and start them again, with the configuration they have.',
    completes: ['companion'],
    run: companions.control('restart'),
  },
  reread: {
    usage: '',
    doc: 'Load the configuration again and apply what changed in its companions.',
    completes: ['nothing'],
    run: companions.reread,
  },
  signal: {
    usage: 'SIGNAL NAME…',
    doc: 'Send a signal to companions.',
    completes: ['signal', 'companion'],
    run: companions.signal,
  },
  tail: {
    usage: '[-f] [-BYTES] NAME [stdout|stderr]',
    doc: "The end of a companion's log; -f goes on with it.",
    completes: ['companion', 'stream'],
    run: companions.tail,
  },
  wait: {
    usage: 'NAME [STATE] [--timeout SECONDS]',
    doc: 'Wait until a companion is in a state (RUNNING), or with the name "workers" until all workers run.',
    completes: ['companion', 'state'],
    run: companions.wait,
  },
  why: {
    usage: 'NAME',
    doc: 'Say in words why a companion last stopped.',
    completes: ['companion'],
    run: companions.why,
  },
  listeners: { usage: '', doc: 'The addresses that are listened on.', completes: ['nothing'], run: arbiter.listeners },
  reload: {
    usage: '',
    doc: 'Load configuration and app again: new workers first, then the old ones leave. Waits for the outcome.',
    completes: ['nothing'],
    run: arbiter.reload,
  },
  scale: { usage: '+N|-N|N', doc: 'Change the number of workers.', completes: ['nothing'], run: arbiter.scale },
  kill: {
    usage: 'SLOT [SIGNAL]',
    doc: 'Send a signal (KILL) to the worker of a slot.',
    completes: ['nothing', 'signal'],
    run: arbiter.kill,
  },
  config: {
    usage: '',
    doc: 'The configuration in effect, without secrets.',
    completes: ['nothing'],
    run: arbiter.config,
  },
  shutdown: { usage: '[--quick]', doc: 'Stop monoceros.', completes: ['nothing'], run: arbiter.shutdown },
  upgrade: {
    usage: '',
    doc: 'Replace the arbiter by the version that is installed, in place. Waits for the outcome.',
    completes: ['nothing'],
    run: upgrade,
  },
  version: { usage: '', doc: 'Versions and pids of what runs.', completes: ['nothing'], run: arbiter.version },
} satisfies Readonly<Record<string, CtlCommand>>

/** The row of a word, or undefined. */
export const commandOf = (word: string): CtlCommand | undefined =>
  Object.hasOwn(COMMANDS, word) ? COMMANDS[word as keyof typeof COMMANDS] : undefined
