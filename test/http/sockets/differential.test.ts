import { join } from 'node:path'
import { playScenes } from '../../support/scenes.ts'
import { scenes } from './differential.scenes.ts'

/** MONOCEROS_DIFFERENTIAL_ROUNDS=100000 npx jest test/http/sockets/differential */
const { MONOCEROS_DIFFERENTIAL_ROUNDS: rounds } = process.env

playScenes(join(__dirname, 'differential.scenes.ts'), scenes, {
  env: rounds === undefined ? {} : { MONOCEROS_DIFFERENTIAL_ROUNDS: rounds },
})
