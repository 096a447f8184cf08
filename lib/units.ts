/** Numbers that must not be mixed up. All are plain numbers at run time. */
declare const unit: unique symbol
type Unit<Name extends string> = number & { readonly [unit]: Name }

/** A process id. */
export type Pid = Unit<'Pid'>
/** A file descriptor of this process. */
export type Fd = Unit<'Fd'>
/** Milliseconds: a duration, or a point of the monotonic clock (CLOCK_MONOTONIC). Never wall-clock time. */
export type Ms = Unit<'Ms'>

export const pid = (value: number): Pid => value as Pid
export const fd = (value: number): Fd => value as Fd
export const ms = (value: number): Ms => value as Ms
