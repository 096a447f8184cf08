/**
 * Workers that are killed, and which failed requests were theirs. A worker is stopped, its connections are listed by ss, and
 * it is killed. A client of the app's own port is known by its port: a failure is the kill's if that very connection was the
 * worker's, and it can be only one. What nginx had of the worker can be counted only: failures through it belong to a kill
 * if they were asked before it, or so soon after that nginx may not have heard of it. On a machine that is too busy, a
 * client may have given up while the worker stood still: that counts as the kill's as well.
 *
 * What waits in the queue of the listener when the worker dies is no connection of the worker's: another one accepts it.
 */
const { spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')

/** Milliseconds until nginx has heard that its connections are gone, on a busy machine. */
const UNHEARD = 500
const SHOWN = 10

const now = () => performance.timeOrigin + performance.now()

class Kills {
  #port
  /** `ports`: of connections that a client of ours had and that have not failed yet; `nginx`: how many nginx had of these. */
  #kills = []

  /** `port`: the app's. */
  constructor(port) {
    this.#port = port
  }

  /** Kills one by chance. */
  async kill(pids) {
    const pid = pids[Math.floor(Math.random() * pids.length)]
    try {
      const stopped = now()
      process.kill(pid, 'SIGSTOP')
      while (!'TtZX'.includes(stateOf(pid))) await new Promise((resolve) => setTimeout(resolve, 1))
      const { ports, nginx } = connectionsOf(pid, this.#port)
      const at = now()
      process.kill(pid, 'SIGKILL')
      this.#kills.push({ stopped, at, connections: ports.length + nginx, ports: new Set(ports), nginx })
    } catch (error) {
      // One that was leaving anyway.
      if (error.code !== 'ESRCH' && error.code !== 'ENOENT') throw error
    }
  }

  /** `stopped`: of each client its name, and what it tells of all its failures. */
  judge(stopped) {
    const strays = []
    let claimed = 0
    for (const [client, { failed, samples }] of stopped) {
      if (samples.length !== failed) throw new Error(`${client} tells of ${samples.length} of ${failed} failures`)
      for (const failure of samples)
        if (client.startsWith('nginx') ? this.#claimOfNginx(failure) : this.#claim(failure)) claimed += 1
        else strays.push({ client, ...failure })
    }
    const connections = this.#kills.reduce((total, kill) => total + kill.connections, 0)
    const longest = Math.max(0, ...this.#kills.map((kill) => kill.at - kill.stopped))
    return {
      connections,
      strays: strays.length,
      lines: [
        `${this.#kills.length} workers were killed; of their ${connections} connections ${claimed} cost a request (the longest stood still for ${Math.round(longest)} ms)`,
        `${strays.length} requests failed that no kill accounts for`,
        ...strays.slice(0, SHOWN).map((stray) => `  ${JSON.stringify({ ...stray, after: this.#since(stray) })}`),
      ],
    }
  }

  #claim({ at, begun, from }) {
    const kill = this.#kills.find((one) => one.ports.has(from) && begun <= one.at && one.stopped <= at)
    if (kill === undefined) return false
    kill.ports.delete(from)
    return true
  }

  #claimOfNginx({ at, asked }) {
    const kill = this.#kills.find(
      (one) => one.stopped <= at && asked !== null && asked <= one.at + UNHEARD && one.nginx > 0,
    )
    if (kill === undefined) return false
    kill.nginx -= 1
    return true
  }

  /** Milliseconds after the last kill. */
  #since({ at }) {
    const last = this.#kills.findLast((kill) => kill.at <= at)
    return last === undefined ? null : Math.round(at - last.at)
  }
}

const stateOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)[0]

/** Those included that their clients have closed. */
function connectionsOf(pid, port) {
  const filter = `( sport = :${port} or dport = :${port} )`
  const { stdout } = spawnSync('ss', ['-Htnp', 'state', 'connected', 'exclude', 'time-wait', filter], {
    encoding: 'utf8',
  })
  const rows = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, , , local, peer, users = ''] = line.trim().split(/\s+/)
      return { local: portOf(local), peer: portOf(peer), users }
    })
  const ofNginx = new Set(rows.filter(({ users }) => users.includes('"nginx"')).map(({ local }) => local))
  const clients = rows
    .filter(({ local, users }) => local === port && users.includes(`pid=${pid},`))
    .map(({ peer }) => peer)
  const ports = clients.filter((client) => !ofNginx.has(client))
  return { ports, nginx: clients.length - ports.length }
}

const portOf = (address) => Number(address.slice(address.lastIndexOf(':') + 1))

module.exports = { Kills }
