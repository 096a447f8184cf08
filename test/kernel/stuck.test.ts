import { join } from 'node:path'
import { playScenes } from '../support/scenes.ts'
import { scenes } from './stuck.scenes.ts'

describe('the stuck stack', () => playScenes(join(__dirname, 'stuck.scenes.ts'), scenes))
