/** Russian. */
import { en, type Key, type Text } from './en.ts'

export const ru: Record<Key, Text> = { ...en }
