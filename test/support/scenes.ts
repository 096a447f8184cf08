/** Tests that need a process of their own: each is a function in a module of scenes, played by a fresh Node. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { testRoot } from './everybodys.ts'
import { run } from './process.ts'

const CHECKOUT = join(__dirname, '..', '..')
const SUPPORT = join(testRoot(CHECKOUT), 'test', 'support')

/** Titles and what happens; a scene fails by throwing (`node:assert`) and passes when it has ended. */
export type Scenes = Readonly<Record<string, () => void | Promise<void>>>

export type Stage = {
  /** Put before Node on the command line: another program that runs it. */
  readonly under?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Declares one jest test a scene. `file` is the module that exports `scenes`: it loads the addon in functions only. */
export function playScenes(file: string, scenes: Scenes, stage: Stage = {}): void {
  for (const title of Object.keys(scenes)) it(title, () => playScene(file, title, stage))
}

async function playScene(file: string, title: string, { under = [], env = {} }: Stage): Promise<void> {
  const node = [process.execPath, '-r', join(SUPPORT, 'typescript.js'), join(SUPPORT, 'player.ts'), at(file), title]
  const [command, ...args] = [...under, ...node]
  const { code, signal, stdout, stderr } = await run(command!, args, { env })
  if (code !== 0) throw new Error(`the scene ended with ${signal ?? code}\n${stderr}${stdout}`)
}

/** The file where every user can read it. */
function at(file: string): string {
  const copy = join(testRoot(CHECKOUT), relative(CHECKOUT, file))
  return existsSync(copy) ? copy : file
}
