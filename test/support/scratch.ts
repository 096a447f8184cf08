/** Temporary folders for scenes, gone when the process ends. Their paths are short enough for UNIX sockets. */
import { mkdtempSync, rmSync } from 'node:fs'

export function scratch(): string {
  const folder = mkdtempSync('/tmp/mono-')
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
