/**
 * `node [OPTION…] benchmarks/preload/garbage.js`: what V8's options make of garbage that outlives the young generation, without a
 * server. Six at a time, 400 in all, each of 300,000 objects that are dropped after a turn of the event loop.
 */
const { peak } = require('./measures.js')

const AT_ONCE = 6
let left = 400

async function drop() {
  while (left-- > 0) {
    const objects = Array.from({ length: 300_000 }, (_, i) => ({ i, text: `x${i}` }))
    await new Promise((resolve) => setImmediate(resolve, objects))
  }
}

async function main() {
  const begun = performance.now()
  await Promise.all(Array.from({ length: AT_ONCE }, drop))
  const took = (performance.now() - begun) / 1000
  console.log(
    `${process.version} ${process.execArgv.join(' ')}: ${peak(process.pid).toFixed(0)} MB at most, ${took.toFixed(1)} s`,
  )
}

main()
