/** Thousands of forks whose children, and now and then the mold, are killed at any moment of their lives; and reloads. */
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { type Service, serve } from '../arbiter/service.ts'
import { isAlive } from '../support/alive.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

/** The 10,000 forks that a release wants take a quarter of an hour. */
const FORKS = Number(process.env.MONOCEROS_STORM_FORKS ?? 200)
const SEED = Number(process.env.MONOCEROS_STORM_SEED ?? 20261123)
const WORKERS = 8
/** Longer than a fork takes until its worker is ready, in milliseconds. */
const LIFE = 30
const MOLD_TOO = 0.01
const RELOAD = 0.02

const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '1ms', '--restart-delay-max', '5ms']
const APP = `require('node:http').createServer((q, r) => r.end(String(process.pid))).listen(3000)`

test(
  `in ${FORKS} forks with the seed ${SEED}, the pids in the state are those that live, after every kill`,
  async () => {
    const random = new Random(SEED)
    const service = serve(['--preload', '-w', String(WORKERS), '--control-socket', 'control', ...AT_ONCE], {
      files: { 'app.js': APP },
    })
    const { program } = service
    await program.line('all workers are ready')
    const born = new Births(service)
    for (let step = 1; born.forks < FORKS; step++) {
      const kills = 1 + random.below(WORKERS)
      for (let n = 0; n < kills; n++) {
        await new Promise((resolve) => setTimeout(resolve, random.below(LIFE)))
        killAny(service, random, born.molds)
      }
      if (random.chance(RELOAD)) program.signal('SIGHUP')
      await agrees(service, born)
      if (step % 10 === 0) await answers(service)
    }
    // Not all that were ever born: the kernel gives their numbers to others.
    const last = service.children()
    program.signal('SIGTERM')
    expect((await program.ended()).code).toBe(0)
    expect(last.filter(isAlive)).toEqual([])
  },
  FORKS * 1_000 + 60_000,
)

/** What the log has said of births. */
class Births {
  readonly pids = new Set<number>()
  readonly molds = new Set<number>()
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
    this.hear()
  }

  /** Reads what is new, and forgets it. */
  hear(): void {
    const { program } = this.#service
    const whole = program.output.lastIndexOf('\n') + 1
    for (const [, what, pid] of program.output.slice(0, whole).matchAll(/ (worker|mold) started .*pid=(\d+)/g))
      (what === 'mold' ? this.molds : this.pids).add(Number(pid))
    program.output = program.output.slice(whole)
  }

  get forks(): number {
    return this.pids.size
  }
}

/** A reload may just be under way: who answers was there before, or is there now. */
async function answers(service: Service): Promise<void> {
  const before = service.children()
  const pid = Number((await service.get()).body)
  expect([...before, ...service.children()]).toContain(pid)
}

/** Also one of which the arbiter has not heard yet. */
function killAny(service: Service, random: Random, molds: ReadonlySet<number>): void {
  const ofMolds = random.chance(MOLD_TOO)
  const victims = service.children().filter((pid) => molds.has(pid) === ofMolds && isAlive(pid))
  if (victims.length === 0) return
  try {
    process.kill(random.pick(victims), 'SIGKILL')
  } catch {} // it has died by itself
}

/** Those in the state, and those that live: the same, as soon as what was killed has been reaped. */
async function agrees(service: Service, born: Births): Promise<void> {
  const inState = async (): Promise<readonly number[]> => {
    const answer = await ask(join(service.folder, 'control'), { cmd: 'status' }, { silence: null })
    const { workers } = answer as unknown as { workers: readonly { readonly pid: number | null }[] }
    return workers.flatMap(({ pid }) => pid ?? [])
  }
  let seen = ''
  await until(async () => {
    const before = service.children()
    const state = await inState()
    const after = service.children()
    born.hear()
    const living = after.filter((pid) => !born.molds.has(pid))
    seen = `in the state ${state}, alive ${living}`
    // Nobody dies while we look: a pid in the state was there before, or is there now.
    expect(state.filter((pid) => !before.includes(pid) && !after.includes(pid))).toEqual([])
    return state.length === WORKERS && same(state, living)
  }).catch((error) => {
    throw new Error(`${error.message}: ${seen}`)
  })
}

const same = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((pid) => other.includes(pid))
