import { type CompanionConfig, companionConfigs, companionList } from '../../lib/config/companions.ts'
import { loadConfig } from '../../lib/config/load.ts'
import { temporaryFolder } from '../support/folder.ts'
import { judge } from './judge.ts'

/** What the manager runs, of a config file with these settings. */
async function companions(settings: object): Promise<readonly CompanionConfig[]> {
  const folder = temporaryFolder({ 'monoceros.config.json': JSON.stringify(settings), 'app/file': '' })
  const found = await loadConfig([], {}, folder)
  if ('problems' in found) throw new Error(JSON.stringify(found.problems))
  return found.loaded.companions.map((one) => JSON.parse(JSON.stringify(one).replaceAll(folder, '/here')))
}

test('one that says nothing but its program has the documented defaults', async () => {
  expect(await companions({ companions: [{ name: 'queue', command: ['node', 'queue.js'] }] })).toEqual([
    {
      name: 'queue',
      family: 'queue',
      instance: 0,
      run: { kind: 'command', argv: ['node', 'queue.js'] },
      nodeOptions: [],
      cwd: '/here',
      env: {},
      user: null,
      group: null,
      umask: null,
      limits: [],
      autostart: true,
      priority: 999,
      startsecs: 1000,
      autorestart: 'always',
      exitcodes: [0],
      startretries: null,
      onFatal: 'ignore',
      restartDelay: 5000,
      restartBackoff: 'fixed',
      restartDelayMax: 300_000,
      stopSignal: 'SIGTERM',
      stopAsGroup: true,
      stopTimeout: 60_000,
      reloadTimeout: 60_000,
      stdout: { kind: 'inherit' },
      stderr: { kind: 'inherit' },
      logMode: 'direct',
      logMaxBytes: 0,
      logBackups: 10,
    },
  ])
})

test('the global settings are defaults, and each companion may differ', async () => {
  const [first, second] = await companions({
    chdir: 'app',
    env: { A: 'all', B: 'all', C: 'all' },
    companionEnv: { B: 'companions', C: 'companions' },
    companionCwd: 'side',
    companionStopSignal: 'INT',
    companionStopTimeout: 1,
    companionReloadTimeout: 2,
    companionStartsecs: 3,
    companionRestartDelay: '4s',
    companionStdout: 'out.log',
    companionStderr: 'stdout',
    companions: [
      { name: 'a', target: './a.js:run' },
      {
        ...{
          name: 'b',
          command: ['b'],
          cwd: 'own',
          env: { C: 'own' },
          stopSignal: 'HUP',
          stopTimeout: 5,
          reloadTimeout: 6,
        },
        ...{ startsecs: 7, restartDelay: 8, stdout: 'inherit', stderr: '/b.log', numprocs: 1, startretries: 3 },
      },
    ],
  })
  expect(first).toMatchObject({
    run: { kind: 'target', module: './a.js', export: 'run' },
    cwd: '/here/app/side',
    env: { A: 'all', B: 'companions', C: 'companions' },
    ...{ stopSignal: 'SIGINT', stopTimeout: 1000, reloadTimeout: 2000, startsecs: 3000, restartDelay: 4000 },
    ...{ stdout: { kind: 'file', path: '/here/app/out.log' }, stderr: { kind: 'stdout' } },
  })
  expect(second).toMatchObject({
    ...{ name: 'b', cwd: '/here/app/own', env: { A: 'all', B: 'companions', C: 'own' } },
    ...{ stopSignal: 'SIGHUP', stopTimeout: 5000, reloadTimeout: 6000, startsecs: 7000, restartDelay: 8000 },
    ...{ stdout: { kind: 'inherit' }, stderr: { kind: 'file', path: '/b.log' }, startretries: 3 },
  })
})

test('numprocs makes several of one, each with its number', () => {
  const entries = judge(companionList, [{ name: 'w', command: ['w'], numprocs: 3 }])
  const spread = companionConfigs(entries as never, {} as never)
  expect(spread.map(({ name, family, instance }) => [name, family, instance])).toEqual([
    ['w:0', 'w', 0],
    ['w:1', 'w', 1],
    ['w:2', 'w', 2],
  ])
})

test('every mistake of every companion is named at once', () => {
  const mistakes = [
    { command: ['a'] },
    { name: 'b' },
    { name: 'c', command: ['c'], target: 'c.js:run' },
    { name: 'd', target: 'd.js' },
    { name: 'e', command: 'ls -l' },
    { name: 'f', command: [] },
    {
      name: 'g',
      command: ['g'],
      stopsignal: 'TERM',
      stopSignal: 'FOO',
      numprocs: 0,
      exitcodes: [0, 256],
      env: { K: 5 },
    },
    { name: 'h:0', command: ['h'] },
    { name: 'b', command: ['b'] },
    'i',
  ]
  expect(judge(companionList, mistakes)).toEqual([
    'x[0].name: is missing; needed: a name of at most 64 letters, digits, ".", "-" and "_"',
    'x[1].command: is missing; needed: one of "command" and "target"',
    'x[2].target: got "c.js:run"; allowed: one of "command" and "target", not both',
    'x[3].target: got "d.js"; allowed: "module:export", such as "./queue.js:run"',
    'x[4].command: got "ls -l"; allowed: a program and its arguments as a list, such as ["node", "queue.js"]',
    'x[5].command: got []; allowed: a program and its arguments as a list, such as ["node", "queue.js"]',
    'x[6].stopsignal: no such setting; did you mean "stopSignal"?',
    'x[6].stopSignal: got "FOO"; allowed: a signal by name, such as "SIGTERM" or "TERM"',
    'x[6].numprocs: got 0; allowed: a whole number from 1 to 1000',
    'x[6].exitcodes[1]: got 256; allowed: a whole number from 0 to 255',
    'x[6].env.K: got a value that is not shown; allowed: a text without NUL',
    'x[7].name: got "h:0"; allowed: a name of at most 64 letters, digits, ".", "-" and "_"',
    'x[9]: got "i"; allowed: a companion: { name, command } or { name, target }',
    'x[8].name: got "b"; allowed: a name that no other companion has',
  ])
})

test('what is not a list of companions is told so', () => {
  for (const wrong of [{ name: 'a' }, 'a', 3])
    expect(judge(companionList, wrong)).toEqual([expect.stringMatching(/allowed: a list of companions/)])
})

test('environments of companions are hidden when the settings are printed', () => {
  const entries = judge(companionList, [{ name: 'a', command: ['a'], env: { TOKEN: 'hush' } }])
  expect(companionList.hide?.(entries as never)).toEqual([{ name: 'a', command: ['a'], env: { TOKEN: '(hidden)' } }])
})

test('user, group and umask are those of all processes, unless a companion has its own; a user of its own has its own group', async () => {
  const own = { command: ['true'] }
  const all = await companions({
    user: 'nobody',
    group: 'daemon',
    umask: '027',
    companions: [
      { name: 'same', ...own },
      { name: 'other', ...own, user: 'root', umask: '022' },
      { name: 'group', ...own, group: 'root' },
    ],
  })
  expect(all.map(({ name, user, group, umask }) => [name, user, group, umask])).toEqual([
    ['same', 'nobody', 'daemon', 0o027],
    ['other', 'root', null, 0o022],
    ['group', 'nobody', 'root', 0o027],
  ])
})
