import { temporaryFolder } from '../support/folder.ts'
import { start } from '../support/process.ts'
import { digest, site } from './site.ts'

test('In Chromium a page loads, fetches, posts, and hears an EventSource and a WebSocket.', async () => {
  const { url, program } = await site('--log-level', 'debug')
  const profile = temporaryFolder()
  start('chromium', [
    ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`],
    ...['--remote-debugging-port=0', `${url}/page`],
  ])
  const [, text] = await program.line(/report (\{.*\})/)
  const report = JSON.parse(text!)
  expect(report.get).toMatchObject({ url: '/get?a[]=1&b={x|y}', httpVersion: '1.1' })
  expect(report.post.body).toEqual({ bytes: 1_000_000, sha256: digest('x'.repeat(1_000_000)) })
  expect(report.events).toEqual(['event 1', 'event 2', 'event 3'])
  expect(report.socket).toEqual(['one', 'two', true])
  expect(report.trailers).toBe('body')
  await program.line('an event source left')
})
