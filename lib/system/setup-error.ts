/**
 * Something that monoceros was told to use cannot be used. `message` is one line for the user: the setting (or variable,
 * or file), what is wrong with it, and what would be right. Whoever starts the service prints it and exits; it is no
 * defect of ours, so its stack is never shown.
 */
export class SetupError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SetupError'
  }
}
