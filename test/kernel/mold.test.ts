import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './mold.scenes.ts'

describe('a mold', () => playScenes(join(__dirname, 'mold.scenes.ts'), scenes))
