/** The folder above the headers that came with this very Node, where they did: node-gyp would fetch them, and not every
 * machine reaches nodejs.org. What npm was told (nodedir) goes before.
 * @returns {string | undefined} */
const { existsSync } = require('node:fs')
const { dirname, join } = require('node:path')

exports.headers = () => {
  const prefix = dirname(dirname(process.execPath))
  const beside = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined
  return process.env.npm_config_nodedir || beside
}
