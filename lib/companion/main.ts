/** The entry of an exec'd `target` companion: `node main.js module:export` imports the module and calls the export. */
import { Channel } from '../channel/channel.ts'
import { CHANNEL_VARIABLE } from '../channel/messages.ts'
import { TO_TARGET } from '../channel/target-messages.ts'
import { loadKernel } from '../kernel/addon.ts'
import { fd } from '../units.ts'
import { loadTarget } from './load-target.ts'
import { hearManager, runTarget, type TargetChannel } from './run-target.ts'

/** Null where it was started by hand. */
function openChannel(): TargetChannel | null {
  const { [CHANNEL_VARIABLE]: number } = process.env
  delete process.env[CHANNEL_VARIABLE]
  if (number === undefined) return null
  const kernel = loadKernel()
  const channel: TargetChannel = new Channel(kernel, fd(Number(number)), TO_TARGET)
  hearManager(kernel, channel)
  return channel
}

const channel = openChannel()
const [, , target = ''] = process.argv
void runTarget(target, channel, () => loadTarget(target, process.cwd()))
