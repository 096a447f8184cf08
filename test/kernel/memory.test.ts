import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './memory.scenes.ts'

describe('shared memory', () => playScenes(join(__dirname, 'memory.scenes.ts'), scenes))
