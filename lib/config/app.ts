/** The app that is served, as the command line names it: `FILE` or `FILE:EXPORT`. */
import { bad, type Codec, good } from './codec.ts'

/** `export` is null where the file is an entry of its own (`node FILE`). The file is as given, perhaps relative. */
export type AppName = { readonly file: string; readonly export: string | null }

const APP = '"FILE" or "FILE:EXPORT", such as "server.js" or "app.js:createApp"'

/** The part after the last colon is an export when it could be a JavaScript name. */
export const appName: Codec<AppName, string> = {
  allowed: APP,
  placeholder: 'APP[:EXPORT]',
  type: 'string',
  parse: (text) => text,
  check: (value) => {
    if (typeof value !== 'string' || value.includes('\0')) return bad(value, APP)
    const match = /^(.*):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su.exec(value)
    const file = match?.[1] ?? value
    return file === '' || file.endsWith(':') ? bad(value, APP) : good({ file, export: match?.[2] ?? null })
  },
  format: (value) => (value.export === null ? value.file : `${value.file}:${value.export}`),
}
