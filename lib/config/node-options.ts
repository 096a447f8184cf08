/** Whether Node takes the options that the settings give to it: asked of Node itself, before anything starts. */
import { spawn } from 'node:child_process'
import type { Ms } from '../units.ts'
import type { Merged } from './merge.ts'
import type { Problem } from './problems.ts'

/** Node's exit code for arguments that it does not take. */
const INVALID_ARGUMENT = 9

type Asked = { readonly cwd: string; readonly deadline: Ms }

/** One problem for each list of options that is refused. `cwd`: where they are looked at if `chdir` does not say. */
export async function refusedNodeOptions({ config, sources }: Merged, { cwd, deadline }: Asked): Promise<Problem[]> {
  const base = config.chdir ?? cwd
  const lists = [
    { key: 'nodeOptions', source: sources.nodeOptions, options: config.nodeOptions, place: base },
    ...config.companions.map(({ nodeOptions = [], cwd: own }, at) => ({
      key: `companions[${at}].nodeOptions`,
      source: sources.companions,
      options: nodeOptions,
      place: own ?? config.companionCwd ?? base,
    })),
  ].filter(({ options }) => options.length > 0)
  const asked = new Map<string, Promise<string | null>>()
  for (const { options, place } of lists) {
    const name = JSON.stringify([options, place])
    if (!asked.has(name)) asked.set(name, complaint(options, { cwd: place, deadline }))
  }
  const problems = lists.map(async ({ key, source, options, place }): Promise<Problem[]> => {
    const line = await asked.get(JSON.stringify([options, place]))
    return line ? [{ key, source, text: `Node ${process.version} does not take them: ${line}` }] : []
  })
  return (await Promise.all(problems)).flat()
}

/** What Node says of these options; null where it takes them. Before them `--version`, so that nothing is loaded or run. */
function complaint(options: readonly string[], { cwd, deadline }: Asked): Promise<string | null> {
  const child = spawn(process.execPath, ['--version', ...options], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // Not the option `timeout`: Node 20 and 22 wait for that where nothing was started as well.
  const timer = setTimeout(() => child.kill('SIGKILL'), deadline)
  let said = ''
  return new Promise((resolve) => {
    const settle = (line: string | null) => {
      clearTimeout(timer)
      resolve(line)
    }
    // Whoever cannot ask finds out later.
    child.on('error', () => settle(null))
    child.on('close', (code) => settle(code === INVALID_ARGUMENT ? firstLine(said) : null))
    // None where there was no room for its pipe.
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  })
}

function firstLine(said: string): string {
  const [line = ''] = said.split('\n', 1)
  const self = `${process.execPath}: `
  return line.startsWith(self) ? line.slice(self.length) : line
}
