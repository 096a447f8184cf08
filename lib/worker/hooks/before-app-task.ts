/** What has to come to its end before any code of the app runs. */
let task: (() => Promise<void>) | null = null

/** To be done once, by whoever evaluates the app next. */
export const setBeforeApp = (todo: () => Promise<void>): void => {
  task = todo
}

/** Null: there is nothing to wait for. */
export const runBeforeApp = (): Promise<void> | null => {
  const todo = task
  task = null
  return todo === null ? null : todo()
}
