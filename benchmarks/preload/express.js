/** A plain app of Express, from the folder where the frameworks are installed. */
const { createRequire } = require('node:module')
const { join } = require('node:path')

const express = createRequire(join(process.env.APP_FRAMEWORKS, 'package.json'))('express')
const app = express()
app.use(express.json())
app.get('/', (_, res) => res.json({ pid: process.pid }))
app.listen(Number(process.env.APP_PORT), '127.0.0.1', 1024, () => console.log(`serving ${process.pid}`))
