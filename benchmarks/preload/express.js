/**
 * An app of Express with 30 routes, whose functions V8 compiles when they are first called; `/` is each of them by turns.
 * Express is that of the folder APP_FRAMEWORKS.
 */
const { createRequire } = require('node:module')
const { join } = require('node:path')

const ROUTES = 30
const express = createRequire(join(process.env.APP_FRAMEWORKS, 'package.json'))('express')
const products = Array.from({ length: 200 }, (_, id) => ({ id, name: `product ${id}`, stock: id % 7 }))
const app = express()
let turn = 0

app.use(express.json())
app.get('/', (req, _, next) => {
  req.url = `/shop${turn++ % ROUTES}/products/7`
  next()
})
for (let n = 0; n < ROUTES; n++) {
  // Each from a text of its own: closures of one text share what is compiled.
  const make = new Function(
    'products',
    `return (req, res) => {
      const there = products.filter(({ id, stock }) => id % ${n + 2} === 0 && stock > 0).slice(0, 20)
      const rows = there.map(({ id, name }) => ({ id, name, price: id * ${n}.25 }))
      res.json({ pid: process.pid, asked: req.params.id, rows })
    }`,
  )
  app.get(`/shop${n}/products/:id`, make(products))
}
app.listen(Number(process.env.APP_PORT), '127.0.0.1', 1024, () => console.log(`serving ${process.pid}`))
