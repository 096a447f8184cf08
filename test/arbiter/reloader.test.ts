/** Reloads that are asked for while the settings are being read. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Generation } from '../../lib/arbiter/generations/generation.ts'
import { Reloader } from '../../lib/arbiter/generations/reloader.ts'
import { loadConfig } from '../../lib/config/load.ts'
import type { Log } from '../../lib/log/log.ts'
import { temporaryFolder } from '../support/folder.ts'

async function reloaderOf(config: string) {
  const folder = temporaryFolder({ 'app.js': '', 'settings.json': config })
  const origin = { argv: ['app.js', '-c', 'settings.json'], env: {}, cwd: folder }
  const read = await loadConfig(origin.argv, origin.env, origin.cwd)
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const begun: number[] = []
  const silent = () => undefined
  const reloader = new Reloader(
    {
      log: { error: silent, warning: silent } as Partial<Log> as Log,
      origin,
      prepare: (loaded) => ({ config: loaded.config }) as Partial<Generation> as Generation,
      begin: (loaded) => begun.push(loaded.config.gracefulTimeout),
      schedule: (job) => job(),
    },
    read.loaded,
  )
  return { reloader, begun, write: (text: string) => writeFileSync(join(folder, 'settings.json'), text) }
}

test('those who ask while the settings are read have the answer of the last reading', async () => {
  const { reloader, begun, write } = await reloaderOf('{"gracefulTimeout": 1}')
  const first = reloader.reload()
  write('{"gracefulTimeout": "never"}')
  const second = reloader.reload()
  const third = reloader.reload()
  expect(await second).toEqual([expect.stringMatching(/gracefulTimeout/)])
  expect(await third).toEqual(await second)
  expect(await first).toEqual(await second)
  write('{"gracefulTimeout": 3}')
  expect(await reloader.reload()).toBeNull()
  expect(begun.at(-1)).toBe(3000)
})
