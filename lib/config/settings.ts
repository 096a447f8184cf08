/** The settings that a worker needs to know, as plain data. */
export type WorkerSettings = Readonly<Record<string, unknown>>
