/** A service that was started from a folder `current`, a link to the version of the day, as deployments have it. */
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { descendantsOf } from '../support/proc.ts'
import { type Ended, type Output, type Program, run, startNode } from '../support/process.ts'
import { until } from '../support/until.ts'

const ROOT = join(__dirname, '..', '..')

/** For an upgrade on a busy machine, in milliseconds. */
const PATIENCE = 60_000

export const APP = `
require('node:http').createServer((req, res) => {
  let received = 0
  req.on('data', (chunk) => { received += chunk.length })
  req.on('end', () => res.end(JSON.stringify({ pid: process.pid, received, ppid: process.ppid })))
}).listen(3000)
`
const CONFIG_FILE = 'monoceros.config.cjs'
const CONFIG = `module.exports = {
  companions: [{ name: 'ticker', command: ['${process.execPath}', 'ticker.js'], startsecs: 0 }],
}`
const TICKER = `setInterval(() => {}, 1000); console.log('ticker begins ' + process.pid)`

export type InstalledOptions = {
  /** Beside `app.js`, `ticker.js` and the config file, or in place of them. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** The errorlog, where it is a file. */
  readonly log?: string
}

export type Installed = {
  readonly program: Program
  readonly folder: string
  readonly socket: string
  /** Makes this the version that is installed. `changed`: what is put in place of what in which file of it. */
  install(version: string, changed?: readonly [file: string, from: string, to: string]): void
  ctl(...words: readonly string[]): Promise<Ended & Output>
  /** Installs it and upgrades to it. */
  upgrade(version: string): Promise<void>
  /** Pids of the workers, by slot. */
  workers(): Promise<readonly number[]>
  /** Everything that must outlive an upgrade. */
  processes(): readonly number[]
}

export async function installed(args: readonly string[] = [], options: InstalledOptions = {}): Promise<Installed> {
  const { files, env: more } = options
  const folder = temporaryFolder({ 'app.js': APP, [CONFIG_FILE]: CONFIG, 'ticker.js': TICKER, ...files })
  const current = join(folder, 'current')
  const install: Installed['install'] = (version, changed) => {
    const home = join(folder, version)
    rmSync(home, { recursive: true, force: true })
    cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true })
    for (const name of ['build', 'node_modules']) symlinkSync(join(ROOT, name), join(home, name))
    const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    writeFileSync(join(home, 'package.json'), JSON.stringify({ ...about, version }))
    if (changed !== undefined) {
      const [name, from, to] = changed
      const file = join(home, 'dist', name)
      const text = readFileSync(file, 'utf8')
      expect(text).toContain(from)
      writeFileSync(file, text.replace(from, to))
    }
    rmSync(current, { force: true })
    symlinkSync(home, current)
  }
  install('1.0.0')
  const socket = join(folder, 'http.sock')
  const env = { XDG_RUNTIME_DIR: folder, ...more }
  const common = ['-b', `unix:${socket}`, '-w', '2', '--startsecs', '0', '--pid', 'arbiter.pid', '-n', 'up']
  const main = (name: string): string => join(current, 'dist', 'cli', name)
  const program = startNode(main('monoceros.js'), ['app.js', ...common, ...args], { cwd: folder, env })
  if (options.log !== undefined) await until(() => read(join(folder, options.log!)).includes('all workers are ready'))
  else await program.line('all workers are ready')
  if (files?.[CONFIG_FILE] === undefined) await program.line('ticker begins')
  const ctl = (...words: readonly string[]): Promise<Ended & Output> =>
    run(process.execPath, [join(ROOT, 'dist/cli/monocerosctl.js'), '-n', 'up', ...words], {
      cwd: folder,
      env,
      patience: PATIENCE,
    })
  const upgrade = async (version: string): Promise<void> => {
    install(version)
    expect(await ctl('upgrade')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`version ${version} goes on`),
    })
  }
  const workers = async (): Promise<readonly number[]> =>
    JSON.parse((await ctl('status', '--json')).stdout).workers.map(({ pid }: { pid: number }) => pid)
  const processes = (): number[] => descendantsOf(program.pid).sort((one, other) => one - other)
  return { program, folder, socket, install, ctl, upgrade, workers, processes }
}

/** Nothing where there is no such file yet. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
