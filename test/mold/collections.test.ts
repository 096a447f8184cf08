/** What V8 leaves to its worker threads is not posted in a forked process: nothing of it may be lost in memory. */
import { serve } from '../arbiter/service.ts'

/** The 100,000 that a release wants take a minute. */
const SCAVENGES = Number(process.env.MONOCEROS_SCAVENGES ?? 20_000)
/** Until the young generation has found its size. */
const FIRST = 2_000
/** What a scavenge may lose, in bytes: an exec'd Node 20 loses as much. And what the rest of the process does, in KiB. */
const EACH = 40
const NOISE_KIB = 2_048

const APP = `
require('node:v8').setFlagsFromString('--expose-gc')
const gc = require('node:vm').runInNewContext('gc')
let kept
require('node:http').createServer((req, res) => {
  for (let n = Number(req.url.slice(1)); n > 0; n--) {
    kept = [{ n }, { n }]
    gc({ type: 'minor' })
  }
  gc()
  gc()
  const [, dirty] = /^Private_Dirty:\\s+(\\d+)/m.exec(require('node:fs').readFileSync('/proc/self/smaps_rollup', 'utf8'))
  res.end(dirty)
}).listen(3000)`

test(
  `a forked worker has lost nothing after ${SCAVENGES} scavenges`,
  async () => {
    const service = serve(['--preload', '-w', '1', '--timeout', '0'], { files: { 'app.js': APP } })
    await service.program.line('all workers are ready')
    const kib = async (scavenges: number): Promise<number> => Number((await service.get(`/${scavenges}`)).body)
    const before = await kib(FIRST)
    let after = before
    for (let done = 0; done < SCAVENGES; done += 5_000) after = await kib(5_000)
    expect(after - before).toBeLessThan((SCAVENGES * EACH) / 1024 + NOISE_KIB)
  },
  SCAVENGES * 20 + 60_000,
)
