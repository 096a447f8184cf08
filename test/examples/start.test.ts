import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { ask } from '../support/http.ts'
import { startMonoceros } from '../support/process.ts'

const SHOP = join(__dirname, '..', '..', 'examples', 'shop', 'server.js')

test('The shop is served by two workers on the address that it asks for itself, and ends cleanly.', async () => {
  const server = startMonoceros([SHOP, '-w', '2'], { env: { PORT: '0' }, cwd: temporaryFolder() })
  await server.lines('worker ready', 2)
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
})

test('Orders are kept by each worker for itself, and the front page says which one answers.', async () => {
  const path = join(temporaryFolder(), 'shop.sock')
  const server = startMonoceros([SHOP, '-w', '2', '--bind', `unix:${path}`], { cwd: temporaryFolder() })
  await server.lines('worker ready', 2)
  const slots = new Set<string>()
  for (let tries = 0; slots.size < 2 && tries < 500; tries += 1) {
    // Several at once, so that one worker cannot take them all.
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ path })))
    for (const { body } of answers) slots.add(/worker slot (\d)/.exec(body)![1]!)
  }
  expect([...slots].sort()).toEqual(['0', '1'])
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
})
