/** A real arbiter in a folder of its own, serving on a UNIX socket there. */
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { type Answer, ask } from '../support/http.ts'
import { childrenOf } from '../support/proc.ts'
import { dist, type Program, type StartOptions, start } from '../support/process.ts'

/** Answers with its pid; `/spin` never comes back; `/slow` answers when `/go` was asked for. */
export const APP = `
const http = require('node:http')
let waiting = []
http.createServer((req, res) => {
  if (req.url === '/spin') { console.log('spinning'); spinForEver() }
  if (req.url === '/slow') { console.log('slow begun'); waiting.push(res); return }
  if (req.url === '/go') { for (const one of waiting.splice(0)) one.end('slow ' + process.pid) }
  res.end(String(process.pid))
}).listen(3000)
function spinForEver() { for (;;) {} }
`

export type Service = {
  readonly program: Program
  readonly folder: string
  /** One request on a connection of its own. */
  get(path?: string): Promise<Answer>
  /** The arbiter's children that run (zombies included), as /proc has them. */
  children(): number[]
}

export type ServiceOptions = StartOptions & {
  readonly files?: Readonly<Record<string, string>>
  /** Which of the files is the app; default `app.js`. */
  readonly app?: string
  /** Done in the folder before the start. */
  readonly prepare?: (folder: string) => void
  /** Options for the arbiter's own Node. */
  readonly nodeOptions?: readonly string[]
}

/** Starts `monoceros app.js -b unix:…` with more arguments; `files` stand beside `app.js`. */
export function serve(args: readonly string[], options: ServiceOptions = {}): Service {
  const { files, app = 'app.js', nodeOptions = [], prepare, ...rest } = options
  const folder = temporaryFolder({ 'app.js': APP, ...files })
  prepare?.(folder)
  const path = join(folder, 'http.sock')
  const command = [...nodeOptions, dist('cli/monoceros.js'), app, '-b', `unix:${path}`, ...args]
  const env = { XDG_RUNTIME_DIR: folder, ...rest.env }
  const program = start(process.execPath, command, { cwd: folder, ...rest, env })
  return {
    program,
    folder,
    get: (target = '/') => ask({ path }, { path: target }),
    children: () => childrenOf(program.pid),
  }
}

/** Resolves when `count` workers have said that they are ready. */
export const ready = (service: Service, count: number, after = 0): Promise<unknown> =>
  service.program.lines(/worker ready worker=/, count, after)
