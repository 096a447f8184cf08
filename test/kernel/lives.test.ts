import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './lives.scenes.ts'

describe('deaths told early', () => playScenes(join(__dirname, 'lives.scenes.ts'), scenes))
