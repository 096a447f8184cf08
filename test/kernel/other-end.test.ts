import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './other-end.scenes.ts'

describe('the other end of a connection', () => playScenes(join(__dirname, 'other-end.scenes.ts'), scenes))
