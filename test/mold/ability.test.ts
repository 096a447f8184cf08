/** What a forked Node process can still do, and how it ends: compared with a Node that was not forked. */
import { join } from 'node:path'
import { ready, type Service, serve } from '../arbiter/service.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { type Program, startNode } from '../support/process.ts'
import { ableFiles, FOUND, LENGTH, WAYS } from './able-app.ts'

const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '1ms', '--restart-delay-max', '5ms']
/** How many forks in a row; the thousand that a release wants takes some minutes. */
const FORKS = Number(process.env.MONOCEROS_FORKS ?? 48)
/** Of the output kept: enough for the last words of the process at hand. */
const KEPT = 100_000

async function forked(app: string): Promise<Service> {
  const service = serve(['--preload', '-w', '1', ...AT_ONCE], { files: ableFiles(), app })
  await service.program.line('all workers are ready')
  return service
}

/** All that the process has written is there, whole. */
async function saidAll({ program }: { readonly program: Program }, way: string, pid: number, from = 0): Promise<void> {
  await program.line(new RegExp(`^x{${LENGTH}} of ${pid}$`), from)
  for (const line of WAYS[way]!.says) await program.line(line.replace('PID', String(pid)), from)
}

async function ends(service: Service, way: string): Promise<void> {
  const mark = service.program.mark()
  const pid = Number((await service.get()).body.split(' ')[1])
  expect(service.children()).toContain(pid)
  expect(JSON.parse((await service.get('/do')).body)).toEqual(FOUND)
  await service.get(`/${way}`)
  const [, left] = await service.program.line(new RegExp(`worker left .*pid=${pid} (\\w+=\\w+)`), mark)
  expect({ way, left }).toEqual({ way, left: WAYS[way]!.left })
  await saidAll(service, way, pid, mark)
  await ready(service, 1, mark)
  service.program.output = service.program.output.slice(-KEPT)
}

describe.each(Object.keys(WAYS))('a plain Node that ends by "%s"', (way) => {
  test('does all of this, and leaves in the same way', async () => {
    const program = startNode(join(temporaryFolder(ableFiles()), 'app.mjs'), [], { env: { PORT: '0' } })
    const port = Number((await program.line(/^port (\d+)/))[1])
    expect(JSON.parse((await ask({ port }, { path: '/do' })).body)).toEqual(FOUND)
    await ask({ port }, { path: `/${way}` })
    const { code, signal } = await program.ended()
    expect(signal === null ? `code=${code}` : `signal=${signal}`).toBe(WAYS[way]!.left)
    await saidAll({ program }, way, program.pid)
  })
})

test.each([
  [FORKS, 'app.mjs', Object.keys(WAYS)],
  [Math.ceil(FORKS / 2), 'app.cjs', Object.keys(WAYS).filter((way) => way !== 'unsettled')],
])(
  '%d forks of %s in a row do all that Node does, and end in every way as it would',
  async (forks, app, ways) => {
    const service = await forked(app)
    for (let n = 0; n < forks; n++) await ends(service, ways[n % ways.length]!)
    // The worker, its mold, and perhaps one that was forked ahead.
    expect([2, 3]).toContain(service.children().length)
  },
  FORKS * 10_000 + 60_000,
)
