/** The clients that ask while something is reloaded. Each `stop` gives `{ answered, failed, what }`. */
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdirSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const LOAD = join(__dirname, '..', '..', 'test', 'support', 'load.js')
const BODY = 100_000

/** Our own strict client. */
function load(options) {
  const child = spawn(process.execPath, [LOAD, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  return {
    async stop() {
      child.stdin.end()
      await once(child, 'close')
      const { answered, failed, failures, samples } = JSON.parse(output)
      return { answered, failed, what: failures, samples }
    },
  }
}

/** wrk, until it is interrupted. */
function wrk(port, { connections, patience, post = false, folder }) {
  const script = join(folder, 'post.lua')
  if (post) writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${BODY})\n`)
  const timeout = `${Math.ceil(patience / 1000)}s`
  const args = ['-t1', `-c${connections}`, '-d', '3600s', '--timeout', timeout, ...(post ? ['-s', script] : [])]
  const child = spawn('wrk', [...args, `http://127.0.0.1:${port}/`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  return {
    async stop() {
      child.kill('SIGINT')
      await once(child, 'close')
      const [, connect, read, write, timeout] =
        /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? []
      const what = { connect, read, write, timeout, status: /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] }
      const found = Object.entries(what).filter(([, count]) => Number(count ?? 0) > 0)
      return {
        answered: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0),
        failed: found.reduce((sum, [, count]) => sum + Number(count), 0),
        what: Object.fromEntries(found.map(([name, count]) => [name, Number(count)])),
      }
    },
  }
}

/** nginx with upstream keep-alive in front of a port. */
async function nginx(port, to, folder) {
  const home = join(folder, 'nginx')
  mkdirSync(home, { recursive: true })
  const config = join(home, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; pid ${home}/pid; error_log ${home}/error.log error; worker_processes 1;
     events { worker_connections 1024; }
     http {
       access_log off; client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
       fastcgi_temp_path ${home}/fastcgi; uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
       client_body_buffer_size 256k;
       upstream app { server 127.0.0.1:${to}; keepalive 32; }
       server { listen 127.0.0.1:${port} backlog=4096;
         location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } }
     }`,
  )
  const child = spawn('nginx', ['-c', config, '-e', `${home}/error.log`], { stdio: ['ignore', 'inherit', 'inherit'] })
  await new Promise((resolve) => setTimeout(resolve, 500))
  return async () => {
    child.kill('SIGQUIT')
    await once(child, 'exit')
  }
}

module.exports = { BODY, load, nginx, wrk }
