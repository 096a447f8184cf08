/**
 * Evaluates a config file, and asks Node for an option that it does not know, while only so many descriptors are free:
 * `node full-table.js FILE MOST`. Prints what came of both as a line of JSON for each number from 0 to MOST, and ends by
 * itself, when nothing is left to wait for.
 */
const { closeSync, openSync } = require('node:fs')
const { dirname } = require('node:path')
const { evaluateFile } = require('../../dist/config/evaluate.js')
const { refusedNodeOptions } = require('../../dist/config/node-options.js')

const [file, most] = [process.argv[2], Number(process.argv[3])]
/** Longer than any test: whoever waits for it does not end. */
const deadline = 3_600_000
const merged = { config: { chdir: null, nodeOptions: ['--nonsense'], companions: [] }, sources: { nodeOptions: null } }

/** Opens whatever can be opened. */
function fill() {
  const filling = []
  for (;;) {
    try {
      filling.push(openSync('/dev/null'))
    } catch (error) {
      if (error.code !== 'EMFILE') throw error
      return filling
    }
  }
}

async function withFree(free, act) {
  const filling = fill()
  for (let count = 0; count < free; count++) closeSync(filling.pop())
  try {
    return await act()
  } finally {
    for (const fd of filling) closeSync(fd)
  }
}

async function main() {
  const cwd = dirname(file)
  for (let free = 0; free <= most; free++) {
    const evaluated = await withFree(free, () => evaluateFile(file, { env: process.env, cwd, deadline }))
    const refused = await withFree(free, () => refusedNodeOptions(merged, { cwd, deadline }))
    console.log(JSON.stringify({ evaluated, refused }))
  }
}

main()
