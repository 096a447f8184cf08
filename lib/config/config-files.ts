/** Names of config files, looked for in the working directory in this order. Pure. */
export const CONFIG_FILES = ['ts', 'mts', 'mjs', 'cjs', 'js', 'json'].map(
  (extension) => `monoceros.config.${extension}`,
)
