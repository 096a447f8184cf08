import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './wills.scenes.ts'

describe('wills', () => playScenes(join(__dirname, 'wills.scenes.ts'), scenes))
