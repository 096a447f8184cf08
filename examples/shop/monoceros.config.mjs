// `monoceros -c examples/shop/monoceros.config.mjs`: the shop with two workers and two companions beside them.
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

export default {
  app: `${here}server.js`,
  workers: 2,
  companionCwd: here,
  companions: [
    // A function of the app's own code. It gets five seconds to finish the parcel in its hands.
    { name: 'packer', target: './packer.js:pack', stopTimeout: '5s' },
    // Any program.
    { name: 'ticker', command: ['node', 'ticker.js'] },
  ],
}
