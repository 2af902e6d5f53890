/** What the head of a column says of its values in a line: as exactly as there is room for, and never the beginning of a number. */
import { short } from '../show/digits';
import { count } from '../show/numbers';
import { cell, number } from './figures';
import { isNumeric, isOrdered, type Column, type Profile } from './model';

const FONT_PX = 11;
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', timeZone: 'UTC' });

/** The same in several lengths, the longest first. */
export function rangeWords(column: Column, profile: Profile, isMoney: boolean): string[] {
  const { min, max, missing, top, distinct } = profile;
  const about = profile.exact ? '' : 'about ';
  if (isOrdered(column.kind) && min !== null && max !== null) {
    const isNumber = isNumeric(column.kind);
    const ends = [min, max].map((each) =>
      isNumber ? number(each, isMoney) : cell(String(each).slice(0, 10), 'date', false),
    );
    const brief = [min, max].map((each) => (isNumber ? short(Number(each)) : monthOf(String(each))));
    if (ends[0] === ends[1]) return [`all ${ends[0]}`, `all ${brief[0]}`];
    return [`${ends[0]} to ${ends[1]}`, `${brief[0]} to ${brief[1]}`, `${brief[0]}…${brief[1]}`];
  }
  if (column.kind === 'boolean' && top) {
    const many = (wanted: boolean) => Number(top.find(([value]) => value === wanted)?.[1] ?? 0);
    const said = (write: (many: number) => string) => `${write(many(true))} yes, ${write(many(false))} no`;
    return [
      ...(missing > 0
        ? [`${said(count)}, ${count(missing)} missing`, `${said(short)}, ${short(missing)} missing`]
        : []),
      said(count),
      said(short),
    ];
  }
  if (missing > 0) return [`${count(missing)} missing`, `${short(missing)} missing`];
  return [`${about}${count(distinct)} distinct`, `${about && '~'}${short(distinct)} distinct`];
}

function monthOf(day: string): string {
  const at = new Date(`${day.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(at.getTime()) ? day.slice(0, 7) : MONTH.format(at);
}

/** The longest that fits; the shortest, if none does. */
export function fitting(words: readonly string[], room: number, width: (text: string) => number = widthOf): string {
  return words.find((each) => width(each) <= room) ?? words.at(-1) ?? '';
}

let pen: CanvasRenderingContext2D | null | undefined;

/** Pixels of a text in the head of a column. */
function widthOf(text: string): number {
  if (pen === undefined) {
    pen = document.createElement('canvas').getContext('2d');
    if (pen) pen.font = `${FONT_PX}px ${getComputedStyle(document.body).fontFamily}`;
  }
  return pen?.measureText(text).width ?? text.length * FONT_PX;
}
