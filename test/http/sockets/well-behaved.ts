/** The others, who must not suffer. */
import http from 'node:http'

/** A client that does everything right, again and again; `stop` gives how often it was answered, and fails if it once was not. */
export function wellBehaved(port: number): { stop(): Promise<number> } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let stopped = false
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const request = http.get({ port, host: '127.0.0.1', path: '/still', agent, timeout: 20_000 }, (response) => {
        response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('no answer'))))
      })
      request.on('error', reject).on('timeout', () => request.destroy(new Error('others are not served')))
    })
  const done = (async () => {
    let answered = 0
    while (!stopped) {
      await ask()
      answered++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return answered
  })()
  done.catch(() => {})
  return {
    stop() {
      stopped = true
      return done.finally(() => agent.destroy())
    },
  }
}
