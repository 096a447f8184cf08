'use strict'

const spool = require('./spool.js')

// What is sold, and what was ordered. Orders live in this process's memory: with two workers each has its own, which is
// what happens to everything an app keeps in a variable. A real shop keeps them in a database.
const products = [
  { id: 'tea', name: 'Green tea', cents: 690 },
  { id: 'cup', name: 'Cup', cents: 1250 },
  { id: 'pot', name: 'Teapot', cents: 4900 },
]

/** @type {{ number: number, product: string, quantity: number, cents: number }[]} */
const orders = []

/** The order, or in words what is wrong with it. */
function place({ product: id, quantity = 1 }) {
  const product = products.find((one) => one.id === id)
  if (!product) return { problem: `product: there is no "${id}"; one of ${products.map((one) => one.id).join(', ')}` }
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 99) {
    return { problem: 'quantity: a whole number from 1 to 99' }
  }
  const order = { number: orders.length + 1, product: id, quantity, cents: product.cents * quantity }
  orders.push(order)
  spool.put(order)
  return { order }
}

module.exports = { products, orders, place }
