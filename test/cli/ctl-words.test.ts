import { parseArguments, splitWords } from '../../lib/cli/ctl/arguments.ts'
import { COMMANDS } from '../../lib/cli/ctl/commands.ts'
import { complete } from '../../lib/cli/ctl/completion.ts'
import { helpText } from '../../lib/cli/ctl/help.ts'
import { allRun, joinStatus, statusText } from '../../lib/cli/ctl/status.ts'
import { size, table, uptime } from '../../lib/cli/ctl/table.ts'

const parsed = (...argv: string[]) => {
  const found = parseArguments(argv)
  return found.kind === 'arguments' ? found.arguments : found.error
}
const NOTHING = { socket: null, instance: null, json: false, colour: null, help: false, words: [] }

describe('the command line of monocerosctl', () => {
  it('has its own options anywhere, and leaves the rest to the command', () => {
    expect(parsed()).toEqual(NOTHING)
    expect(parsed('status', '--json', 'a', '-s', '/s')).toEqual({
      ...NOTHING,
      socket: '/s',
      json: true,
      words: ['status', 'a'],
    })
    expect(parsed('--socket=/s', '-n', 'shop', 'tail', '-f', '-100', 'a')).toEqual({
      ...NOTHING,
      socket: '/s',
      instance: 'shop',
      words: ['tail', '-f', '-100', 'a'],
    })
    expect(parsed('stop', '--', '--json')).toEqual({ ...NOTHING, words: ['stop', '--json'] })
    expect(parsed('--version')).toEqual({ ...NOTHING, words: ['version'] })
    expect(parsed('scale', '-1')).toEqual({ ...NOTHING, words: ['scale', '-1'] })
  })

  it('says which value is missing', () => {
    expect(parsed('-s')).toBe('-s needs the path of a control socket')
    expect(parsed('--socket=')).toBe('-s needs the path of a control socket')
    expect(parsed('-n')).toBe('-n needs the name of an instance')
  })

  it('is cut into words as a shell would, where it is a line', () => {
    expect(splitWords('  stop  a "b c" d\\ e \'f "g\' h"i"j ""')).toEqual([
      'stop',
      'a',
      'b c',
      'd e',
      'f "g',
      'hij',
      '',
    ])
    expect(splitWords('')).toEqual([])
    expect(splitWords('stop "open')).toEqual(['stop', 'open'])
    expect(splitWords('\\')).toEqual([''])
  })
})

describe('help', () => {
  it('has every command', () => {
    for (const word of Object.keys(COMMANDS)) expect(helpText()).toMatch(new RegExp(`^  ${word} `, 'm'))
  })
})

describe('completion', () => {
  const names = ['ticker', 'worker:0', 'worker:1']
  it.each([
    [['st'], ['status', 'start', 'stop']],
    [
      ['stop', ''],
      [...names, 'all'],
    ],
    [
      ['stop', 'worker:'],
      ['worker:0', 'worker:1'],
    ],
    [
      ['stop', 'ticker', 'w'],
      ['worker:0', 'worker:1'],
    ],
    [['signal', 'hu'], ['HUP']],
    [['signal', 'HUP', 't'], ['ticker']],
    [['wait', 'ticker', 'run'], ['RUNNING']],
    [['tail', '-f', 'ti'], ['ticker']],
    [
      ['tail', 'ticker', ''],
      ['stdout', 'stderr'],
    ],
    [['reload', ''], []],
    [['nonsense', ''], []],
    [['completion', 'b'], ['bash']],
  ])('of %j is %j', (words, expected) => {
    expect(complete(words, names)).toEqual(expected)
  })
})

describe('a table', () => {
  it('has columns as wide as their widest cell, and colours that do not count', () => {
    const rows = [
      ['a', { text: 'RUNNING', colour: 'green' as const }, 'x'],
      ['longer', 'b', ''],
    ]
    expect(table(['NAME', 'STATE', 'NOTE'], rows, false)).toBe('NAME    STATE    NOTE\na       RUNNING  x\nlonger  b\n')
    const plain = table(['NAME', 'STATE', 'NOTE'], rows, true).replace(/\x1b\[\d+m/g, '')
    expect(plain).toBe(table(['NAME', 'STATE', 'NOTE'], rows, false))
  })

  it('shows times and sizes for people', () => {
    expect([0, 61.9, 3723, 86_400, 180_000].map(uptime)).toEqual([
      '0:00:00',
      '0:01:01',
      '1:02:03',
      '1 day, 0:00:00',
      '2 days, 2:00:00',
    ])
    expect([0, 812_345, 81_000_000, 1_230_000_000].map(size)).toEqual(['0 kB', '812 kB', '81 MB', '1.2 GB'])
  })
})

describe('status', () => {
  const worker = {
    slot: 0,
    pid: 2,
    generation: 3,
    state: 'RUNNING',
    uptime: 5,
    requests: 10,
    in_flight: 1,
    rss: 5e7,
    cpu: 12.4,
    role: 'holder',
  }
  const companion = {
    name: 'a',
    state: 'BACKOFF',
    pid: null,
    uptime: null,
    restart_count: 2,
    last_exit_code: 1,
    last_exit_signal: null,
    manual_stop: false,
    next_retry_in: 2.54,
    reason: 'exited with code 1',
  }

  it('shows workers and companions as one', () => {
    const joined = joinStatus(
      { ok: true, pid: 1, uptime: 61, generation: 3, version: '1.2.3', workers: [worker] },
      { ok: true, companions: [companion] },
    )
    expect(statusText(joined, false)).toBe(`arbiter: pid 1, up 0:01:01, generation 3, monoceros 1.2.3

WORKER  STATE    PID  GENERATION  UPTIME   REQUESTS  IN FLIGHT  MEMORY  CPU
0       RUNNING  2    3           0:00:05  10        1          50 MB   12 %

COMPANION  STATE    PID  UPTIME  RESTARTS  NOTE
a          BACKOFF  -    -       2         exited with code 1; next try in 2.5 s
`)
    expect(allRun(joined)).toBe(false)
    expect(
      allRun(joinStatus({ ok: true, workers: [worker, { ...worker, role: 'leaver', state: 'STOPPING' }] }, null)),
    ).toBe(true)
  })

  it('says so of one that was stopped by command', () => {
    const stopped = {
      ...companion,
      state: 'STOPPED',
      manual_stop: true,
      next_retry_in: null,
      reason: null,
      last_exit_code: null,
      last_exit_signal: 'SIGTERM',
    }
    expect(statusText(joinStatus(null, { ok: true, companions: [stopped] }), false)).toContain(
      'ended by SIGTERM; stopped by command\n',
    )
  })
})
