/** The time of the common log format. Pure. */

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

let lastSecond = Number.NaN
let lastZone = Number.NaN
let lastText = ''

/**
 * `[02/Jan/2026:03:04:05 +0100]`. The one made last is kept: a busy server asks for the same second thousands of times.
 *
 * @param time milliseconds since the epoch
 * @param zone minutes that local time is ahead of UTC
 */
export function commonLogTime(time: number, zone: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond || zone !== lastZone) {
    lastSecond = second
    lastZone = zone
    lastText = made(second, zone)
  }
  return lastText
}

function made(second: number, zone: number): string {
  const local = new Date((second + zone * 60) * 1000)
  const date = `${two(local.getUTCDate())}/${MONTHS[local.getUTCMonth()]}/${local.getUTCFullYear()}`
  const clock = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`
  const ahead = Math.abs(zone)
  return `[${date}:${clock} ${zone < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}${two(ahead % 60)}]`
}

const two = (value: number): string => String(value).padStart(2, '0')
