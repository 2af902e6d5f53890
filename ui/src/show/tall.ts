/** How much room a value takes when it is shown. */
import { isBig, type Json } from '../api/json';
import { isBlob } from './blob';

const MOST_ROWS = 12;
const LETTERS_A_ROW = 70;
const NUMBERS_A_ROW = 6;

/** Whether a value would push away what stands below it. */
export function isTall(value: Json): boolean {
  return rows(value) > MOST_ROWS;
}

function rows(value: Json): number {
  if (typeof value === 'string') return value.split('\n').length + Math.floor(value.length / LETTERS_A_ROW);
  if (typeof value !== 'object' || value === null || isBig(value) || isBlob(value)) return 1;
  if (Array.isArray(value) && value.every((each) => typeof each === 'number'))
    return Math.ceil(value.length / NUMBERS_A_ROW);
  let sum = 0;
  for (const each of Object.values(value)) {
    sum += rows(each as Json);
    if (sum > MOST_ROWS) break;
  }
  return sum;
}
