/** Key figures of questions as rows and columns show them. */
import type { Json } from '../../api/json';
import type { WaitingView } from '../../api/types';
import { figureWords as wordsOf, numberWords } from '../../show/numbers';

/** More columns than this leave no room for titles. */
export const MOST_COLUMNS = 5;
const LONGEST = 60;

export const figureWords = (value: Json): string => wordsOf(value, LONGEST);

export function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number';
}

/** Return the names of the figures that most rows have, in the order in which they are given. */
export function columnsOf(views: readonly WaitingView[]): string[] {
  const counts = new Map<string, number>();
  for (const { figures } of views) {
    for (const name of Object.keys(figures)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts.entries()].sort((one, other) => other[1] - one[1]).slice(0, MOST_COLUMNS);
  const chosen = new Set(most.map(([name]) => name));
  return [...counts.keys()].filter((name) => chosen.has(name));
}

/** Return the sums of those figures that are numbers in every row. */
export function sumsOf(views: readonly WaitingView[]): [string, string][] {
  return columnsOf(views).flatMap((name) => {
    const values = views.map((each) => each.figures[name]);
    if (!values.every(isNumber)) return [];
    return [[name, numberWords(values.reduce<number>((sum, each) => sum + Number(each), 0))]];
  });
}
