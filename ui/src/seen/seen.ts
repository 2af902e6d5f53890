/**
 * Characters that cannot be seen, or that change how others are seen, drawn as marks: the same as at the terminal, and for the same reasons
 * (`src/tidegate/types/marks.py`, from which the pattern is written).
 */
import { PATTERN } from './pattern';

const PLAIN = /^[\t\n\x20-\x7e]*$/;

/** Return a text in which everything can be seen. */
export function seen(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replaceAll('\r\n', '\n').replace(PATTERN, (letter, ...rest) => {
    const groups = rest.at(-1) as { seen?: string };
    return groups.seen === undefined
      ? `‹U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`
      : letter;
  });
}
