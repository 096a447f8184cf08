import { BEFORE_APP, BEGUN, HOOK, nodeArguments } from '../../lib/channel/command.ts'

const base = { file: '/app/server.js', export: null, args: ['--color', 'x'], nodeOptions: [], variable: undefined }

describe('the command line of a worker', () => {
  it('makes the file the entry, after the hook', () => {
    expect(nodeArguments(base)).toEqual(['--require', HOOK, '/app/server.js', '--color', 'x'])
  })

  it('loads the hook before what the user requires', () => {
    expect(nodeArguments({ ...base, nodeOptions: ['--require', './apm.js'] }).slice(0, 4)).toEqual([
      '--require',
      HOOK,
      '--require',
      './apm.js',
    ])
  })

  it.each([
    ['--import=./instrument.mjs', undefined],
    ['--loader', undefined],
    [undefined, '--enable-source-maps --import ./instrument.mjs'],
    [undefined, '--experimental-loader=x'],
  ])('says when the main module is next where %s or %s is imported before it', (option, variable) => {
    const nodeOptions = option === undefined ? [] : [option]
    const line = nodeArguments({ ...base, nodeOptions, variable })
    expect(line.slice(-5)).toEqual(['--import', BEGUN, '/app/server.js', '--color', 'x'])
  })

  it('waits for hooks before anything else is imported, the app last', () => {
    const line = nodeArguments({ ...base, hooks: true, nodeOptions: ['--import=./instrument.mjs'] })
    expect(line.slice(0, 5)).toEqual(['--require', HOOK, '--import', BEFORE_APP, '--import=./instrument.mjs'])
    expect(line.slice(-5)).toEqual(['--import', BEGUN, '/app/server.js', '--color', 'x'])
  })

  it('serves an export through an entry of its own', () => {
    const line = nodeArguments({ ...base, export: 'app', nodeOptions: ['--env-file=.env'] })
    expect(line[0]).toBe('--env-file=.env')
    expect(line[1]).toMatch(/worker\/main\.js$/)
    expect(line.slice(2)).toEqual(['/app/server.js', 'app', '--', '--color', 'x'])
  })
})
