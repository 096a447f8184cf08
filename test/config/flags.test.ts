import { type CommandLine, parseFlags } from '../../lib/config/flags.ts'
import { describeProblem } from '../../lib/config/problems.ts'
import { flagsOf } from '../../lib/config/setting.ts'
import { SETTING_NAMES, SETTINGS } from '../../lib/config/settings.ts'

const said = (line: CommandLine): Record<string, unknown> =>
  Object.fromEntries(line.statements.map(({ name, value }) => [name, value]))
const parse = (...args: string[]): Record<string, unknown> => {
  const line = parseFlags(args)
  expect(line.problems.map(describeProblem)).toEqual([])
  return said(line)
}
const problems = (...args: string[]): string[] => parseFlags(args).problems.map(describeProblem)

test('values stand behind, beside or in their flag', () => {
  for (const args of [['-w', '4'], ['-w4'], ['--workers', '4'], ['--workers=4']])
    expect(parse(...args)).toEqual({ workers: 4 })
})

test('the short flags are those of gunicorn', () => {
  const args = [
    '-b',
    ':80',
    '-w',
    '2',
    '-t',
    '5',
    '-p',
    'pid',
    '-u',
    'me',
    '-g',
    'us',
    '-m',
    '022',
    '-e',
    'A=1',
    '-n',
    'app',
  ]
  expect(Object.keys(parse(...args))).toEqual([
    'bind',
    'workers',
    'timeout',
    'pidfile',
    'user',
    'group',
    'umask',
    'env',
    'procName',
  ])
})

test('switches go both ways, and the last one counts', () => {
  expect(parse('--preload')).toEqual({ preload: true })
  expect(parse('--preload', '--no-preload')).toEqual({ preload: false })
  expect(parse('--preload=false')).toEqual({ preload: false })
  expect(parse('-w', '2', '-w', '3')).toEqual({ workers: 3 })
})

test('what can be false has a flag that says so', () => {
  expect(parse('--no-control-socket', '--no-instance-var')).toEqual({ controlSocket: false, instanceVar: false })
})

test('lists and maps are collected', () => {
  expect(parse('-b', ':80,:81', '-b', 'unix:a', '-e', 'A=1', '-e', 'B=2=3')).toEqual({
    bind: [':80', ':81', 'unix:a'],
    env: { A: '1', B: '2=3' },
  })
  expect(parse('--node-options', '--env-file=.env --expose-gc')).toEqual({
    nodeOptions: ['--env-file=.env', '--expose-gc'],
  })
})

test('a bad part of a collected value is not lost to a good one', () => {
  expect(parse('-e', 'nonsense', '-e', 'A=1')).toEqual({ env: 'nonsense' })
  expect(parse('-e', 'A=1', '-e', 'nonsense', '-e', 'B=1')).toEqual({ env: 'nonsense' })
})

test('the app may stand anywhere, and its arguments follow --', () => {
  expect(parse('-w', '2', 'app.js:main', '--preload', '--', '-w', 'x', '--')).toEqual({
    app: 'app.js:main',
    args: ['-w', 'x', '--'],
    workers: 2,
    preload: true,
  })
  expect(parse('app.js', '--')).toEqual({ app: 'app.js', args: [] })
})

test('flags that are no settings are told apart', () => {
  const line = parseFlags(['-c', 'x.json', '--check-config', '-h', '-v', '--json', '--print-config'])
  expect([line.configFile, [...line.own].sort(), line.statements]).toEqual([
    'x.json',
    ['--check-config', '--help', '--json', '--print-config', '--version'],
    [],
  ])
})

test('all that is wrong is said', () => {
  expect(
    problems('--timout', '5', '--wrokers=2', '--nonsense', '-Z', '--check-config=1', '-c', '', '--preload=perhaps'),
  ).toEqual([
    '--timout: no such flag; did you mean "--timeout"?',
    '--wrokers: no such flag; did you mean "--workers"?',
    '--nonsense: no such flag',
    '-Z: no such flag',
    '--check-config: takes no value',
    '-c: needs a value: FILE',
  ])
  expect(problems('--workers')).toEqual(['--workers (workers): needs a value: a whole number from 1 to 512, or "auto"'])
  expect(problems('--no-preload=true')).toEqual(['--no-preload (preload): takes no value'])
  expect(problems('a.js', 'b.js')).toEqual([
    '"b.js": is one argument too many: the app is "a.js", and arguments for it follow "--"',
  ])
})

test('what gunicorn has and we have not is explained', () => {
  expect(problems('-D', '-k', 'gevent', '--threads=4')).toEqual([
    '-D: is not offered: let systemd, a container or a shell keep it in the background',
    '-k: is not offered: workers are Node processes, of one kind',
    '--threads: is not offered: a worker serves all its connections in one event loop',
  ])
})

test('no two settings share a flag, and every flag is written as flags are', () => {
  const flags = SETTING_NAMES.flatMap((name) => flagsOf(name, SETTINGS[name]))
  expect(new Set(flags).size).toBe(flags.length)
  for (const flag of flags) expect(flag).toMatch(/^(-[a-z]|--[a-z]+(-[a-z]+)*)$/)
})
