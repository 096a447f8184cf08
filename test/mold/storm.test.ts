/** Thousands of forks whose children, and now and then the mold, are killed at any moment of their lives; and reloads. */
import { join } from 'node:path'
import { ask } from '../../lib/control/client.ts'
import { type Service, serve } from '../arbiter/service.ts'
import { childrenOf, entryOf } from '../support/proc.ts'
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
/** So many steps, each with a birth, may one wait that a mold has forked beforehand: it is the next to be a worker. */
const PATIENCE = 5

const AT_ONCE = ['--startsecs', '0', '--crash-limit', '0', '--restart-delay', '1ms', '--restart-delay-max', '5ms']
const APP = `
const self = () => process.pid + '@' + require('node:fs').readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1).split(' ')[19]
const server = require('node:http').createServer((q, r) => r.end(JSON.stringify({ self: self(), parent: process.ppid })))
server.listen(3000, () => console.log('serving ' + self()))
`

test(
  `in ${FORKS} forks with the seed ${SEED}, the pids in the state are those that live, after every kill`,
  async () => {
    const random = new Random(SEED)
    const service = serve(['--preload', '-w', String(WORKERS), '--control-socket', 'control', ...AT_ONCE], {
      files: { 'app.js': APP },
    })
    const { program } = service
    await program.line('all workers are ready')
    const family = new Family(service)
    for (let step = 1; family.births < FORKS; step++) {
      const kills = 1 + random.below(WORKERS)
      for (let n = 0; n < kills; n++) {
        await new Promise((resolve) => setTimeout(resolve, random.below(LIFE)))
        family.killOne(random)
      }
      if (random.chance(RELOAD)) program.signal('SIGHUP')
      await family.agrees()
      if (step % 10 === 0) await family.answers()
    }
    const last = family.living()
    program.signal('SIGTERM')
    expect((await program.ended()).code).toBe(0)
    expect(last.filter(isThere)).toEqual([])
  },
  FORKS * 1_000 + 60_000,
)

/** `PID@START`: the kernel gives the number to others afterwards, and several times in a long storm. */
type Name = string

/** The arbiter's children and those of its molds, as /proc has them and as the log has told. */
class Family {
  births = 0
  readonly #service: Service
  readonly #molds = new Set<Name>()
  readonly #killed = new Set<Name>()
  /** Whose app has begun: they are workers. */
  readonly #serving = new Set<Name>()
  /** Who waits, and the births there had been when that was first seen. */
  #waiting = new Map<Name, number>()

  constructor(service: Service) {
    this.#service = service
  }

  /** Also those of which the arbiter has not heard yet, and the process between a mold and its child. */
  living(): Name[] {
    this.#hear()
    const children = this.#service.children().flatMap(nameOf)
    const molds = children.filter((name) => this.#molds.has(name))
    return [...children, ...molds.flatMap((mold) => childrenOf(pidOf(mold)).flatMap(nameOf))]
  }

  killOne(random: Random): void {
    const ofMolds = random.chance(MOLD_TOO)
    const victims = this.living().filter((name) => this.#molds.has(name) === ofMolds)
    if (victims.length === 0) return
    const victim = random.pick(victims)
    try {
      process.kill(pidOf(victim), 'SIGKILL')
    } catch {} // it has died by itself
    this.#killed.add(victim)
  }

  /** As soon as what was killed has been reaped, the state names those that live, and nobody is lost. */
  async agrees(): Promise<void> {
    let seen = ''
    await until(async () => {
      this.#hear()
      const state = await this.#inState()
      const living = this.living()
      const others = living.filter((name) => !state.includes(pidOf(name)) && !this.#molds.has(name))
      const molds = living.filter((name) => this.#molds.has(name))
      seen = `after ${this.births} births, in the state ${state}, alive ${living}, of these molds ${molds}`
      const settled =
        state.length === WORKERS &&
        state.every((pid) => living.some((name) => pidOf(name) === pid && !this.#molds.has(name))) &&
        !living.some((name) => this.#killed.has(name)) &&
        !others.some((name) => this.#serving.has(name)) &&
        // A mold may have forked one child beforehand, which nobody counts until it is needed.
        others.length <= molds.length
      if (settled) this.#wait(others)
      return settled
    }).catch((error) => {
      throw new Error(`${error.message}: ${seen}`)
    })
    this.#killed.clear()
  }

  /** Whoever answers is a child of the arbiter that has said, by itself, that it serves. */
  async answers(): Promise<void> {
    const { self, parent } = JSON.parse((await this.#service.get()).body)
    expect(parent).toBe(this.#service.program.pid)
    await until(() => {
      this.#hear()
      return this.#serving.has(self)
    })
  }

  /** One that waits while others are born has been lost. */
  #wait(others: readonly Name[]): void {
    this.#waiting = new Map(others.map((name) => [name, this.#waiting.get(name) ?? this.births]))
    const lost = [...this.#waiting].filter(([, births]) => this.births - births > PATIENCE * WORKERS)
    expect(lost).toEqual([])
  }

  async #inState(): Promise<readonly number[]> {
    const answer = await ask(join(this.#service.folder, 'control'), { cmd: 'status' }, { silence: null })
    const { workers } = answer as unknown as { workers: readonly { readonly pid: number | null }[] }
    return workers.flatMap(({ pid }) => pid ?? [])
  }

  /** Reads what is new in the log, and forgets it. */
  #hear(): void {
    const { program } = this.#service
    const whole = program.output.lastIndexOf('\n') + 1
    for (const line of program.output.slice(0, whole).split('\n')) {
      if (/ worker started /.test(line)) this.births++
      const [, mold] = / mold started pid=(\d+)/.exec(line) ?? []
      if (mold !== undefined) for (const name of nameOf(Number(mold))) this.#molds.add(name)
      const [, serving] = /^serving (\d+@\d+)$/.exec(line) ?? []
      if (serving !== undefined) this.#serving.add(serving)
    }
    program.output = program.output.slice(whole)
  }
}

/** None, when there is no such process that lives. */
function nameOf(pid: number): Name[] {
  const [state, ...fields] = entryOf(pid, 'stat').split(') ').at(-1)!.split(' ')
  return ['', 'Z', 'X'].includes(state!) ? [] : [`${pid}@${fields[18]}`]
}

const pidOf = (name: Name): number => Number(name.split('@')[0])
const isThere = (name: Name): boolean => nameOf(pidOf(name)).includes(name)
