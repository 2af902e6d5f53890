/** What of a difference is shown: changes with the lines around them; the rest of what is equal is folded. */
import type { Line, Part } from './rows';

/** Lines that are shown before and after a change. */
const AROUND = 3;
/** Fewer are not worth a fold. */
const LEAST = 3;

/** One line of the display. A pair stands side by side; `change` numbers the changes from 1, where one begins. */
export type Row =
  | { kind: 'fold'; key: number; many: number }
  | { kind: 'equal'; left: Line; right: Line }
  | { kind: 'pair'; left: Line | undefined; right: Line | undefined; change: number; isFirst: boolean };

/** `opened` are the folds that somebody has opened. */
export function rowsOf(parts: readonly Part[], opened: ReadonlySet<number>, isAll: boolean): Row[] {
  const rows: Row[] = [];
  let change = 0;
  parts.forEach((part, at) => {
    if (part.kind === 'change') {
      change += 1;
      for (let line = 0; line < Math.max(part.left.length, part.right.length); line += 1)
        rows.push({ kind: 'pair', left: part.left[line], right: part.right[line], change, isFirst: line === 0 });
      return;
    }
    const many = part.left.length;
    const before = at === 0 ? 0 : AROUND;
    const after = at === parts.length - 1 ? 0 : AROUND;
    const folded = many - before - after;
    const isFolded = !isAll && !opened.has(at) && folded >= LEAST;
    part.left.forEach((left, line) => {
      const right = part.right[line];
      if (!right) return;
      if (!isFolded || line < before || line >= many - after) rows.push({ kind: 'equal', left, right });
      else if (line === before) rows.push({ kind: 'fold', key: at, many: folded });
    });
  });
  return rows;
}
