import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './listeners.scenes.ts'

describe('listeners', () => playScenes(join(__dirname, 'listeners.scenes.ts'), scenes))
