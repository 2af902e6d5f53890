/** The lines of a printed text: all of them, or those that contain something. */

export type Line = { number: number; text: string };

/** More lines than these make the page slow. */
const MOST = 5_000;

/** Return the lines that contain what is wanted, the last of them if there are many; `left` is how many come before these. */
export function linesWith(text: string, wanted: string, most = MOST): { lines: Line[]; left: number; total: number } {
  const all = text.replace(/\n$/, '').split('\n');
  const low = wanted.toLowerCase();
  const found: Line[] = [];
  all.forEach((each, at) => {
    if (low === '' || each.toLowerCase().includes(low)) found.push({ number: at + 1, text: each });
  });
  const left = Math.max(0, found.length - most);
  return { lines: found.slice(left), left, total: text === '' ? 0 : all.length };
}

/** Split a line at what is wanted: every second part is a match. */
export function partsOf(text: string, wanted: string): string[] {
  const [low, part] = [text.toLowerCase(), wanted.toLowerCase()];
  // A few letters are longer or shorter in lower case: then nothing is marked.
  if (part === '' || low.length !== text.length) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = low.indexOf(part); at >= 0; at = low.indexOf(part, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + part.length));
    from = at + part.length;
  }
  return [...parts, text.slice(from)];
}
