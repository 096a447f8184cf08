/** Preloaded into the files of a suite on node:test, on both sides: one that does not end after its tests is ended. */
const LONGEST = 90_000

// Only the files, and not what runs them.
if (process.env.NODE_TEST_CONTEXT) setTimeout(() => process.exit(1), LONGEST).unref()
