/**
 * The second way to the stack of a stuck worker, for a Node without the symbols that the first one needs: a thread with
 * an inspector session on the main one. It costs a thread with a heap of its own, so it is only the second.
 */
import { readSync, writeSync } from 'node:fs'
import { type Debugger, Session } from 'node:inspector'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { type Fd, ms } from '../units.ts'

/** Frames that are printed. */
const FRAMES = 50
/** How often the thread looks whether the alarm was rung: the addon, which could wait for it, is the main thread's. */
const LOOK = ms(200)

/** Starts the thread, which prints the main thread's stack to fd 2 whenever `alarm` is rung. Keeps no process alive. */
export const startStackThread = (alarm: Fd): void => {
  const thread = new Worker(__filename, { workerData: { alarm }, execArgv: [], stdin: false })
  thread.unref()
  thread.once('error', (error) => {
    process.stderr.write(`monoceros: the stack of a stuck worker cannot be shown: ${error.message}\n`)
  })
}

const watch = (alarm: Fd): void => {
  const session = new Session()
  session.connectToMainThread()
  // Told of every script there is when the debugger is enabled; the frames themselves have no names of files.
  const files = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url))
  session.on('Debugger.paused', ({ params }) => {
    writeSync(2, text(params.callFrames, files))
    files.clear()
    session.post('Debugger.resume')
    session.post('Debugger.disable')
  })
  setInterval(() => {
    if (!wasRung(alarm)) return
    session.post('Debugger.enable')
    session.post('Debugger.pause')
  }, LOOK)
}

/** The counter of an eventfd is read as 8 bytes, and is 0 then; EAGAIN where it was 0 before (eventfd(2)). */
const wasRung = (alarm: Fd): boolean => {
  try {
    return readSync(alarm, Buffer.alloc(8)) === 8
  } catch {
    return false
  }
}

const text = (frames: readonly Debugger.CallFrame[], files: ReadonlyMap<string, string>): string => {
  const lines = frames.slice(0, FRAMES).map(({ functionName, location }) => {
    const place = `${files.get(location.scriptId) ?? ''}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
    return `    at ${functionName === '' ? place : `${functionName} (${place})`}\n`
  })
  return `The main thread is here:\n${lines.join('')}`
}

if (!isMainThread && typeof (workerData as { alarm?: unknown } | null)?.alarm === 'number')
  watch((workerData as { alarm: Fd }).alarm)
