/** Processes that outlive the tests that started them: found by a mark in their environment, killed, and reported. */
import { readdirSync, readFileSync } from 'node:fs'

/** The environment variable that marks what this test run has started. */
export const MARK = 'MONOCEROS_TEST_RUN'

export type Leak = { readonly pid: number; readonly command: string; readonly test: string }

/** Living processes with the run's mark: all but this process, jest's own workers, and zombies. */
export const findLeaks = (run: string): Leak[] => marked(run).filter(({ command }) => !command.includes('jest-worker'))

/** Kills all that a run has started, jest's own workers included, until nobody is left who could start more. */
export function endRun(run: string): void {
  for (let left = marked(run); left.length > 0; left = marked(run)) for (const { pid } of left) kill(pid)
}

const marked = (run: string): Leak[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => look(Number(name), run))

/** Waits until nothing with the mark is left, at most `patience` milliseconds; returns what is left then, killed. */
export async function endLeaks(run: string, patience: number): Promise<Leak[]> {
  const until = Date.now() + patience
  let leaks = findLeaks(run)
  while (leaks.length > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    leaks = findLeaks(run)
  }
  for (const { pid } of leaks) kill(pid)
  return leaks
}

function look(pid: number, run: string): Leak[] {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    // A zombie's environment is empty, so it never gets here.
    if (!variables.includes(`${MARK}=${run}`)) return []
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim()
    const test = variables.find((variable) => variable.startsWith('MONOCEROS_TEST='))
    return [{ pid, command, test: test?.slice('MONOCEROS_TEST='.length) ?? 'unknown' }]
  } catch {
    return [] // gone meanwhile, or not ours to look at
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}
