import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './exits.scenes.ts'

describe('exits', () => playScenes(join(__dirname, 'exits.scenes.ts'), scenes))
