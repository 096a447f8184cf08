'use strict'

// The queue between the shop and the packer: a folder with a file for each order. A file appears by rename, so nobody
// ever reads half an order, and it outlives a crash of either side.
const { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir, userInfo } = require('node:os')
const { join } = require('node:path')

const folder = process.env.SHOP_SPOOL ?? join(tmpdir(), `tea-shop-${userInfo().uid}`)
const waiting = join(folder, 'waiting')
const packing = join(folder, 'packing')
const packed = join(folder, 'packed')

let count = 0

/** Makes the folders where they are missing; only their owner may look inside. */
const open = () => {
  for (const one of [waiting, packing, packed]) mkdirSync(one, { recursive: true, mode: 0o700 })
}

/** Puts an order into the queue. */
function put(order) {
  open()
  const name = `${Date.now()}-${process.pid}-${++count}.json`
  writeFileSync(join(folder, name), JSON.stringify(order))
  renameSync(join(folder, name), join(waiting, name))
}

/** Takes the oldest order out of the queue; null where none waits. Several packers never take the same one. */
function take() {
  for (const name of readdirSync(waiting).sort()) {
    try {
      renameSync(join(waiting, name), join(packing, name))
    } catch {
      continue // another packer was faster
    }
    const order = JSON.parse(readFileSync(join(packing, name), 'utf8'))
    return { order, done: () => renameSync(join(packing, name), join(packed, name)) }
  }
  return null
}

/** Puts back what a packer had in its hands when it died. */
function recover() {
  open()
  for (const name of readdirSync(packing)) renameSync(join(packing, name), join(waiting, name))
}

/** How many orders wait and how many have been packed. */
function counts() {
  open()
  return { waiting: readdirSync(waiting).length, packed: readdirSync(packed).length }
}

/** Throws everything away. */
const empty = () => rmSync(folder, { recursive: true, force: true })

module.exports = { counts, empty, put, recover, take, waiting }
