/**
 * The difference of two texts: lines, and within changed lines words. It takes bounded time whatever the texts are: what is equal at both ends
 * is set aside first, and where the rest differs too much to be matched line by line, it is shown as replaced, which is always true.
 */
import { diffArrays } from 'diff';

/** A run of text within a line; `isChanged` where the other side has something else. */
export type Run = { text: string; isChanged: boolean };
export type Line = { number: number; runs: Run[] };
/** Lines that both have, or those of one side or both in place of each other. */
export type Part = { kind: 'equal'; left: Line[]; right: Line[] } | { kind: 'change'; left: Line[]; right: Line[] };

export type Difference = {
  parts: Part[];
  changes: number;
  removed: number;
  added: number;
  /** Whether lines could not be matched in time. */
  isCoarse: boolean;
};

/** Milliseconds for matching lines: what takes longer has little in common. */
const PATIENCE_MS = 3_000;
/** Pairs of lines, and characters of a line, that are compared word by word. */
const [MOST_PAIRS, LONGEST_LINE] = [3_000, 3_000];
/** Two lines that share less than this part of their text are two lines, not one that was changed. */
const ALIKE = 0.35;

export function difference(left: string, right: string): Difference {
  const [one, other] = [linesOf(left), linesOf(right)];
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (
    end < one.length - start &&
    end < other.length - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  )
    end += 1;
  const builder = new Builder(one, other);
  builder.equal(start);
  const middle = [one.slice(start, one.length - end), other.slice(start, other.length - end)] as const;
  const found = diffArrays(middle[0], middle[1], { timeout: PATIENCE_MS });
  if (found === undefined) builder.changed(middle[0].length, middle[1].length);
  else {
    let [gone, come] = [0, 0];
    for (const each of found) {
      if (each.removed) gone += each.value.length;
      else if (each.added) come += each.value.length;
      else {
        builder.changed(gone, come);
        [gone, come] = [0, 0];
        builder.equal(each.value.length);
      }
    }
    builder.changed(gone, come);
  }
  builder.equal(end);
  return { ...builder.result(), isCoarse: found === undefined };
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split(/\r?\n/);
  // A line break at the end ends the last line.
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

class Builder {
  readonly #parts: Part[] = [];
  readonly #left: readonly string[];
  readonly #right: readonly string[];
  #atLeft = 0;
  #atRight = 0;
  #pairs = 0;
  #removed = 0;
  #added = 0;

  constructor(left: readonly string[], right: readonly string[]) {
    this.#left = left;
    this.#right = right;
  }

  equal(many: number): void {
    if (many === 0) return;
    const [left, right] = [this.#take('left', many), this.#take('right', many)];
    const last = this.#parts.at(-1);
    if (last?.kind === 'equal') {
      last.left.push(...left);
      last.right.push(...right);
    } else this.#parts.push({ kind: 'equal', left, right });
  }

  changed(gone: number, come: number): void {
    if (gone + come === 0) return;
    const [left, right] = [this.#take('left', gone), this.#take('right', come)];
    this.#removed += gone;
    this.#added += come;
    for (let at = 0; at < Math.min(gone, come) && this.#pairs < MOST_PAIRS; at += 1) {
      const [before, after] = [left[at], right[at]];
      if (!before || !after) break;
      this.#pairs += 1;
      const words = wordsOf(before.runs[0]?.text ?? '', after.runs[0]?.text ?? '');
      if (words) [before.runs, after.runs] = words;
    }
    this.#parts.push({ kind: 'change', left, right });
  }

  result(): Omit<Difference, 'isCoarse'> {
    const changes = this.#parts.filter(({ kind }) => kind === 'change').length;
    return { parts: this.#parts, changes, removed: this.#removed, added: this.#added };
  }

  #take(side: 'left' | 'right', many: number): Line[] {
    const at = side === 'left' ? this.#atLeft : this.#atRight;
    const lines = (side === 'left' ? this.#left : this.#right).slice(at, at + many);
    if (side === 'left') this.#atLeft += many;
    else this.#atRight += many;
    return lines.map((text, index) => ({ number: at + index + 1, runs: [{ text, isChanged: true }] }));
  }
}

/** Words, numbers with their decimals, blanks, and what is left, each by itself; of scripts without blanks, each character. */
const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}_]+|\d+(?:[.,:]\d+)*|\s+|./gu;

/** The words of two lines; undefined if they are not the same line with changes. */
function wordsOf(before: string, after: string): [Run[], Run[]] | undefined {
  if (before.length > LONGEST_LINE || after.length > LONGEST_LINE) return undefined;
  const found = diffArrays(before.match(WORDS) ?? [], after.match(WORDS) ?? [], { maxEditLength: 400 });
  if (found === undefined) return undefined;
  const left: Run[] = [];
  const right: Run[] = [];
  let shared = 0;
  for (const { value, added, removed } of found) {
    const text = value.join('');
    if (!added && !removed) shared += text.trim().length;
    if (!added) left.push({ text, isChanged: removed });
    if (!removed) right.push({ text, isChanged: added });
  }
  return shared >= ALIKE * Math.max(before.trim().length, after.trim().length) ? [left, right] : undefined;
}
