/** The step itself: one image of this process makes place for the next, which finds everything where the state says. */
import { IMAGE_VARIABLE, type Image, PRELOAD_BEFORE_VARIABLE } from '../../kernel/image.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { signalNumber } from '../../kernel/signals.ts'
import { type Fd, fd } from '../../units.ts'
import { ARBITER_SIGNALS } from '../orders.ts'
import { FAILED_VARIABLE, STATE_VARIABLE } from './words.ts'

export type Replacement = {
  /** Whole argument vectors: of the new version, and of this one for the way back. */
  readonly forward: readonly string[]
  readonly back: readonly string[]
  /** The addon of the new version. */
  readonly addon: string
  readonly state: Fd
  /** All that the state names. */
  readonly descriptors: readonly Fd[]
}

/** Does not come back, but by throwing where nothing has happened. */
export function replaceImage(kernel: Kernel, image: Image, what: Replacement): never {
  const { forward, back, addon, state, descriptors } = what
  const pipe = image.signalPipe()
  const keep = [fd(0), fd(1), fd(2), ...descriptors, state, pipe.read, pipe.write]
  const backwards = environment(image.path, state, pipe, fd(-1), { [FAILED_VARIABLE]: '1' })
  const wayBack = writeWayBack(kernel, back, backwards, keep)
  try {
    image.replace(forward[0]!, forward, environment(addon, state, pipe, wayBack, {}), [...keep, wayBack])
  } finally {
    kernel.close(wayBack)
  }
}

function environment(
  addon: string,
  state: Fd,
  pipe: { readonly read: Fd; readonly write: Fd },
  wayBack: Fd,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const { LD_PRELOAD: before = '', [FAILED_VARIABLE]: _, ...env } = process.env as Record<string, string>
  return {
    ...env,
    LD_PRELOAD: before === '' ? addon : `${addon}:${before}`,
    [PRELOAD_BEFORE_VARIABLE]: before,
    [IMAGE_VARIABLE]: [pipe.read, pipe.write, wayBack, ...ARBITER_SIGNALS.map(signalNumber)].join(),
    [STATE_VARIABLE]: String(state),
    ...more,
  }
}

/** As `native/image.cc` reads it. */
function writeWayBack(
  kernel: Kernel,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  keep: readonly Fd[],
): Fd {
  const list = (items: readonly string[]): string[] => [String(items.length), ...items]
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const strings = [argv[0]!, ...list(argv), ...list(variables), ...list(keep.map(String))]
  const bytes = Buffer.from(`${strings.join('\0')}\0`)
  const memory = kernel.sharedMemory('monoceros-way-back', bytes.length)
  Buffer.from(kernel.map(memory)).set(bytes)
  return memory
}
