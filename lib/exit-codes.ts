/** How `monoceros` ends; docs/exit-codes.md says the same to users, and a test holds the two equal. Pure. */
export const EXIT_CODE = {
  /** Stopped as it was told to, or printed what it was asked for. */
  done: 0,
  /** A mistake of ours: something happened that was never expected. */
  broken: 1,
  /** Bad usage, a setting that is wrong, or something of the system that the settings need and that is not to be had. */
  usage: 2,
  /** Workers do not come up, although the app can be loaded. */
  boot: 3,
  /** The app cannot be loaded: no such file, it throws, exports nothing usable, or never listens. */
  app: 4,
} as const
