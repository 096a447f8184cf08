import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const apps = dirname(dirname(fileURLToPath(import.meta.url)))

export default { output: 'standalone', outputFileTracingRoot: apps, turbopack: { root: apps } }
