'use strict'

// A companion as any program may be one: `node ticker.js` says once a minute how the shop is doing.
const { counts } = require('./spool.js')

const tick = () => {
  const { waiting, packed } = counts()
  console.log(`the shop: ${packed} orders packed, ${waiting} waiting`)
}

tick()
setInterval(tick, 60_000)
