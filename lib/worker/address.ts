/** Where an export is served without `bind`. Pure. */
import type { ListenerAddress } from '../kernel/kernel.ts'
import type { Target } from './exports.ts'

/**
 * `$PORT` is how platforms say where they will connect, so it means all interfaces; without it only this machine. A
 * string says what is wrong with `$PORT`.
 */
export const defaultTarget = (port: string | undefined): Target | string => {
  if (port === undefined || port === '') return { host: '127.0.0.1', port: 8000 }
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN
  return number >= 1 && number <= 65_535
    ? { host: '0.0.0.0', port: number }
    : `PORT is ${JSON.stringify(port.slice(0, 40))}; a number from 1 to 65535 is allowed`
}

/** An address as one writes it. */
export const show = (address: ListenerAddress): string => {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
