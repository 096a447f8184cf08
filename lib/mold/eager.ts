/**
 * Imported before everything else in a mold: from then on V8 compiles whole modules, not each function at its first
 * call, and keeps what it has compiled. What each child would have to compile again is compiled once, and shared.
 */
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--no-lazy')
// Else a collection of the heap takes the code of functions that have rested for a while.
setFlagsFromString('--no-flush-bytecode')
