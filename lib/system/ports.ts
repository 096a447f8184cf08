/** Which ports everybody may bind. */
import { readFileSync } from 'node:fs'

const USUAL = 1024

/** The first one, as this network namespace has it (ip(7)). Containers often have 0. */
export function firstUnprivilegedPort(proc = '/proc'): number {
  try {
    const text = readFileSync(`${proc}/sys/net/ipv4/ip_unprivileged_port_start`, 'latin1').trim()
    return /^\d{1,5}$/.test(text) ? Number(text) : USUAL
  } catch {
    return USUAL
  }
}
