/** wrk on core 1, and what it saw. */
const { spawnSync } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

/** A raw request a connection, again and again: wrk counts the responses of a pipelined one each. */
const script = (bytes) => `
local bytes = ${JSON.stringify(bytes)}
request = function() return bytes end
done = function(summary, latency)
  local counts = {}
  for i = 1, #latency do
    local value, count = latency(i)
    counts[i] = string.format("[%d,%d]", value, count)
  end
  io.write(string.format('JSON {"requests":%d,"duration":%d,"counts":[%s]}\\n',
    summary.requests, summary.duration, table.concat(counts, ",")))
end
`

/** Of what wrk says, when something is wrong; the latencies alone are 60 KB. */
const SHOWN = 1000

/** Runs for so many seconds while this process waits; latencies in milliseconds. */
exports.wrk = (url, bytes, { connections, seconds }) => {
  const folder = mkdtempSync(join(tmpdir(), 'monoceros-bench-'))
  try {
    const file = join(folder, 'load.lua')
    writeFileSync(file, script(bytes))
    const args = ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${seconds}`, '-s', file, url]
    const { stdout, stderr, status } = spawnSync('taskset', args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    if (status !== 0) throw new Error(`wrk: ${stdout.slice(0, SHOWN)}${stderr}`)
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk saw errors:\n${stdout.slice(0, SHOWN)}`)
    const { requests, duration, counts } = read(stdout)
    const seen = uncorrected(counts, Math.trunc(duration / Math.trunc(requests / connections)))
    return { requests, rate: (requests / duration) * 1e6, p50: at(seen, 0.5), p99: at(seen, 0.99) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(stdout) {
  try {
    return JSON.parse(/^JSON (.*)$/m.exec(stdout)[1])
  } catch (error) {
    throw new Error(`wrk said what cannot be read (${error.message.slice(0, SHOWN)}): ${stdout.slice(0, SHOWN)}`)
  }
}

/**
 * wrk adds to each latency above twice the mean, `expected`, the ones that requests sent meanwhile would have seen
 * (`stats_correct` in its stats.c). So one stop of the whole machine of 50 ms a second, which real-time priority leaves
 * to the other processes, is 5 % of its figures and 0.05 % of the requests. From the largest down, this takes them
 * away again: what is left was measured.
 */
function uncorrected(counts, expected) {
  const left = new Map(counts)
  for (const [value] of counts.toReversed()) {
    const count = left.get(value)
    if (value < expected * 2) break
    // Below the least that was measured wrk counts them too, but does not tell of them.
    for (let below = value - expected; below > expected && left.has(below); below -= expected)
      left.set(below, left.get(below) - count)
  }
  return [...left]
}

/** Percentile of values with counts, microseconds to milliseconds. */
function at(counts, rank) {
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  let sum = 0
  for (const [value, count] of counts) {
    sum += count
    if (sum >= total * rank) return value / 1000
  }
  return Number.NaN
}
