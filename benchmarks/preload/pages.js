/**
 * An app that does when it is first asked what need not be done while it is loaded: each of its pages is compiled, and its
 * data made, by the first request for it. `/` gives the pages by turns.
 */
const http = require('node:http')

const PAGES = 200
const ROWS = 200
const pages = new Map()
let turn = 0

function page(number) {
  const there = pages.get(number)
  if (there) return there
  const rows = Array.from({ length: ROWS }, (_, n) => ({ id: n, name: `row ${n} of ${number}`, price: n * 1.1 }))
  const cells = Array.from({ length: 20 }, (_, n) => `'<td>' + row.id * ${n + number} + ' ' + row.name + '</td>'`)
  const line = new Function('row', `return '<tr>' + ${cells.join(' + ')} + '</tr>'`)
  const made = {
    rows,
    render: (from) =>
      rows
        .slice(from, from + 10)
        .map(line)
        .join(''),
  }
  pages.set(number, made)
  return made
}

http
  .createServer((_, res) => {
    turn++
    const html = page(turn % PAGES).render(turn % (ROWS - 10))
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ pid: process.pid, html: html.length }))
  })
  .listen(Number(process.env.APP_PORT), '127.0.0.1', 1024, () => console.log(`serving ${process.pid}`))
