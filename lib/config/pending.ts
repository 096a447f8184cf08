/**
 * Settings that are in the table before anything obeys them; who sets one is warned. Whoever builds the part takes its
 * names out. Pure.
 */
import type { SettingName } from './settings.ts'

export const PENDING: readonly SettingName[] = ['reforkAfter']
