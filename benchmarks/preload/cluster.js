/** Workers of node:cluster, replaced when they exit. */
const cluster = require('node:cluster')

if (cluster.isPrimary) {
  for (let n = 0; n < Number(process.env.APP_WORKERS); n++) cluster.fork()
  cluster.on('exit', () => cluster.fork())
} else require('./app.js')
