/** A pattern for LIKE that means the text itself, anywhere: what LIKE takes for a wildcard stands for itself. */
export function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (character) => `\\${character}`)}%`
}
