'use strict'

const money = (cents) => `${(cents / 100).toFixed(2)} €`
const total = (orders) => money(orders.reduce((sum, { cents }) => sum + cents, 0))

/** For curl: who answers, what there is, and how to order it. */
const plain = (products, orders, { pid, slot }) => `The tea shop, served by process ${pid} (worker slot ${slot}).

${products.map(({ id, name, cents }) => `  ${id}  ${name.padEnd(10)} ${money(cents).padStart(8)}`).join('\n')}

${orders.length} orders in this process, ${total(orders)}. To place one:
  curl -H 'content-type: application/json' -d '{"product":"tea","quantity":2}' localhost:8000/orders
`

/** For browsers. Nothing in it comes from a visitor. */
const page = (products, orders, { pid, slot }) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The tea shop</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem; color: #222 }
  table { width: 100%; border-collapse: collapse }
  td { padding: .5rem 0; border-bottom: 1px solid #ddd }
  td:nth-child(2) { text-align: right; padding-right: 1rem }
  td:nth-child(3) { text-align: right }
  input { width: 3rem }
  footer { margin-top: 2rem; color: #666; font-size: .875rem }
</style>
<h1>The tea shop</h1>
<table>
${products.map(row).join('\n')}
</table>
<p>${orders.length} orders, ${total(orders)}.</p>
<footer>Process ${pid}, worker slot ${slot}. Each worker counts its own orders: reload and see.</footer>
</html>
`

const row = ({ id, name, cents }) => `<tr><td>${name}</td><td>${money(cents)}</td><td>
<form method="post" action="/orders"><input type="hidden" name="product" value="${id}">
<input type="number" name="quantity" value="1" min="1" max="99" aria-label="Quantity"> <button>Order</button></form></td></tr>`

module.exports = { page, plain }
