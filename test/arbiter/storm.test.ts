/** A thousand kills, TTIN, TTOU and HUPs in a row against a real arbiter, each awaited by its logged effect. */
import { childrenOf, descriptorsOf, stateOf } from '../support/proc.ts'
import { Random } from '../support/random.ts'
import { ready, type Service, serve } from './service.ts'

const STEPS = Number(process.env.MONOCEROS_STORM_STEPS ?? 1000)
const SEED = Number(process.env.MONOCEROS_STORM_SEED ?? 20261123)
const MOST = 4
const START = 2

const APP = `require('node:http').createServer((q, r) => r.end()).listen(3000)`

test(`${STEPS} steps of the seed ${SEED}`, async () => {
  const random = new Random(SEED)
  const service = serve(
    [
      '-w',
      String(START),
      '--startsecs',
      '0',
      '--crash-limit',
      '0',
      '--restart-delay',
      '1ms',
      '--restart-delay-max',
      '5ms',
    ],
    {
      files: { 'app.js': APP },
    },
  )
  const { program } = service
  await program.line('all workers are ready')
  const before = descriptors(program.pid)
  let size = START
  for (let step = 0; step < STEPS; step++) {
    const chance = random.unit()
    if (chance < 0.6) await killOne(service, random)
    else if (chance < 0.75 && size < MOST) size = await more(service, size)
    else if (chance < 0.9 && size > 1) size = await fewer(service, size)
    else size = await reload(service, size)
    // The output of a whole storm is not needed: only what the next step waits for.
    program.output = program.output.slice(-10_000)
  }
  while (size > START) size = await fewer(service, size)
  while (size < START) size = await more(service, size)
  expect((await service.get()).status).toBe(200)
  expect(states(program.pid)).toEqual(Array(START).fill('alive'))
  expect(descriptors(program.pid)).toEqual(before)
  program.signal('SIGTERM')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
}, 900_000)

async function killOne(service: Service, random: Random): Promise<void> {
  const children = service.children()
  const victim = children[random.below(children.length)]!
  const mark = service.program.mark()
  process.kill(victim, 'SIGKILL')
  await service.program.line(new RegExp(`worker left .*pid=${victim} signal=SIGKILL`), mark)
  await ready(service, 1, mark)
}

async function more(service: Service, size: number): Promise<number> {
  const mark = service.program.mark()
  service.program.signal('SIGTTIN')
  await ready(service, 1, mark)
  return size + 1
}

async function fewer(service: Service, size: number): Promise<number> {
  const mark = service.program.mark()
  service.program.signal('SIGTTOU')
  await service.program.line(/worker left .*code=0/, mark)
  return size - 1
}

/** A reload goes back to the number that is configured, as with gunicorn. */
async function reload(service: Service, size: number): Promise<number> {
  const mark = service.program.mark()
  service.program.signal('SIGHUP')
  await service.program.line('the new generation serves', mark)
  await service.program.lines(/worker left .*code=0/, size, mark)
  return START
}

/** How many descriptors it has open. */
const descriptors = (pid: number): number => descriptorsOf(pid).length

const states = (pid: number): string[] => childrenOf(pid).map((child) => (stateOf(child) === 'Z' ? 'zombie' : 'alive'))
