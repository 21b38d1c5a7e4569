import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

/** Text for a person who may see colors: on a terminal, unless NO_COLOR is set (https://no-color.org). */
export function style(style: Style | undefined, text: string): string {
  if (style === undefined || process.stdout.isTTY !== true || process.env.NO_COLOR) return text
  return styleText(style, text)
}
