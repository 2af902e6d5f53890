/** What Enter does in a form. */
import type { KeyboardEvent } from 'react';
import { shapeOf, type Schema } from './shape';

const ONE_LINE: ReadonlySet<string> = new Set([
  'text',
  'whole',
  'number',
  'decimal',
  'duration',
  'date',
  'instant',
  'time',
  'boolean',
  'choice',
]);

/** Whether an answer is one field, so that Enter can only mean to send it. */
export function isSingle(schema: Schema, root: Schema = schema): boolean {
  const shape = shapeOf(schema, root);
  if (shape.kind === 'optional') return isSingle(shape.inner, root);
  if (shape.kind === 'record') return shape.parts.length === 1 && shape.parts.every(([, part]) => isSingle(part, root));
  return ONE_LINE.has(shape.kind);
}

const FIELDS = 'input:not([type=hidden]):not([type=file]):not([disabled]), textarea, select, .up button';

/**
 * Ctrl+Enter sends. Enter sends where there is one field; where there are more it goes to the next, except in a text of several lines: there it is a
 * line break, as Shift+Enter is everywhere.
 */
export function onEnter(
  event: KeyboardEvent<HTMLElement>,
  isSingleField: boolean,
  submit: (() => void) | undefined,
): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.defaultPrevented) return;
  const field = event.target as HTMLElement;
  const isSending = event.ctrlKey || event.metaKey;
  if (!isSending && (event.shiftKey || event.altKey || !isLine(field))) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.repeat) return;
  if (isSending || isSingleField) submit?.();
  else focusNext(event.currentTarget, field);
}

/** Whether a field is one line of text, or another field in which Enter means nothing else. */
function isLine(field: HTMLElement): boolean {
  if (field instanceof HTMLTextAreaElement) return field.dataset.lines === '1';
  return field instanceof HTMLInputElement && field.getAttribute('aria-expanded') !== 'true';
}

function focusNext(form: HTMLElement, field: HTMLElement): void {
  const all = [...form.querySelectorAll<HTMLElement>(FIELDS)].filter((each) => !isLaterRadio(each));
  const next = all.slice(all.findIndex((each) => each === field || isSameGroup(each, field)) + 1)[0];
  next?.focus();
}

/** Of radio buttons, the chosen one or the first is where the focus goes. */
function isLaterRadio(each: HTMLElement): boolean {
  return each instanceof HTMLInputElement && each.type === 'radio' && each.id.includes('--');
}

function isSameGroup(one: HTMLElement, other: HTMLElement): boolean {
  return (
    one instanceof HTMLInputElement &&
    other instanceof HTMLInputElement &&
    one.type === 'radio' &&
    one.name === other.name
  );
}
