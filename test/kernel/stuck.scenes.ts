/** The JavaScript stack of a process that does not come back to its loop. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fd } from '../../lib/units.ts'
import { WITH_KERNEL } from './children.ts'
import { realKernel } from './real.ts'

/** Starts a Node that watches for an alarm at descriptor 3 and then runs the code; its stderr is ours to read. */
function watched(code: string) {
  const alarm = realKernel().alarm()
  const program = `${WITH_KERNEL} require('node:assert').equal(kernel.watchForStuckStack(3), null);\n${code}`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe', alarm] })
  let text = ''
  child.stderr!.setEncoding('utf8').on('data', (data: string) => {
    text += data
  })
  const says = async (pattern: RegExp, from = 0): Promise<void> => {
    while (!pattern.test(text.slice(from))) {
      assert.equal(child.exitCode, null, text)
      await once(child.stderr!, 'data')
    }
  }
  return { child, alarm, says, said: () => text, ring: () => realKernel().ring(alarm) }
}

async function gone(child: ReturnType<typeof spawn>): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

export const scenes = {
  'the stack of while (true) is printed, again at each alarm, with function and place': async () => {
    const { child, ring, says } = watched(`
      function handlerForOrders() { fs.writeSync(1, 'stuck'); while (true) {} }
      setTimeout(function timer() { handlerForOrders() }, 1)`)
    await once(child.stdout!, 'data')
    ring()
    await says(
      new RegExp(`process ${child.pid} is busy at:\\n(.*\\n)*.*at handlerForOrders .*:3:\\d+.*\\n +at timer .*:4:\\d+`),
    )
    ring()
    await says(/(at handlerForOrders[\s\S]*){2}/)
    await gone(child)
  },

  'a regular expression that does not end is found as well': async () => {
    const { child, ring, says } = watched(`
      function slowPattern() { fs.writeSync(1, 'stuck'); return /^(a+)+$/.test('a'.repeat(60) + 'b') }
      slowPattern()`)
    await once(child.stdout!, 'data')
    ring()
    await says(/slowPattern/)
    await gone(child)
  },

  'a process that waits is not said to be anywhere, and its next timer is not taken for what it does': async () => {
    const { child, ring, says, said } = watched("setInterval(() => fs.writeSync(2, 'timer\\n'), 300)")
    const answered = /is not busy: its event loop waits\n|is busy at:\n/
    // The first turn may have been a long one.
    for (let from = 0; ; from = said().length) {
      ring()
      await says(answered, from)
      if (!/is busy at/.test(said().slice(from))) break
    }
    const waits = said().lastIndexOf('its event loop waits')
    await says(/timer\n[\s\S]*timer\n/, waits)
    assert.doesNotMatch(said().slice(waits), /is busy at/)
    await gone(child)
  },

  'a process goes on as if nothing had been': async () => {
    const { child, ring, says } = watched(`
      process.stdout.write('begun')
      let turns = 0
      setTimeout(function turn() { if (++turns === 300) console.error('turned'); setTimeout(turn, 1) }, 1)`)
    await once(child.stdout!, 'data')
    for (let rings = 0; rings < 20; rings++) ring()
    await says(/turned/)
    await gone(child)
  },

  'a process with a watcher ends by itself': async () => {
    const { child } = watched('process.exitCode = 4')
    assert.deepEqual(await once(child, 'exit'), [4, null])
  },

  'an alarm at no descriptor does nothing': () => {
    assert.equal(realKernel().watchForStuckStack(fd(999)), null)
  },
}
