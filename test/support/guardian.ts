/** `guardian.ts RUN`: a test run is over when our stdin ends. Where it was interrupted, what it has started ends now. */
import { endRun } from './leaks.ts'

process.stdin.resume().on('end', () => endRun(process.argv[2]!))
