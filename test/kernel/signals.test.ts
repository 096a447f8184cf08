import { join } from 'node:path'
import { compiled } from '../support/compile.ts'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './signals.scenes.ts'

const TAKE_SIGNALS = compiled(join(__dirname, 'take-signals.c'), '-shared', '-fPIC')

describe('signals', () => playScenes(join(__dirname, 'signals.scenes.ts'), scenes, { env: { TAKE_SIGNALS } }))
