/** What a field takes, in a few words beside its name. */
import type { Entry } from './entry';
import { resolve, shapeOf, type Schema, type Shape } from './shape';

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const FORMATS: Record<string, string> = {
  uuid: 'UUID',
  email: 'e-mail address',
  uri: 'address',
  'idn-email': 'e-mail address',
};
const BLOBS: Record<string, string> = { directory: 'directory', ndarray: '.npy file', table: '.parquet file' };

export function hintOf(given: Schema, root: Schema, entry: Entry, isOptional: boolean): string {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  const words = wordsOf(shape, schema, entry);
  return isOptional ? `optional${words ? ` ${words}` : ''}` : words;
}

function wordsOf(shape: Shape, schema: Schema, entry: Entry): string {
  switch (shape.kind) {
    case 'whole':
      return limits(schema) || 'whole number';
    case 'number':
    case 'decimal':
      return limits(schema) || 'number';
    case 'text':
      return FORMATS[shape.format] ?? lengths(schema, 'characters');
    case 'date':
      return 'date';
    case 'instant':
      return 'date and time';
    case 'time':
      return 'time of day';
    case 'duration':
      return 'duration';
    case 'boolean':
      return '';
    case 'choice':
      return `one of ${NUMBERS[shape.choices.length] ?? shape.choices.length}`;
    case 'bytes':
      return 'file';
    case 'blob':
      return BLOBS[shape.of] ?? 'file';
    case 'list':
      return [`a list`, entry.kind === 'list' ? entries(entry.items.length) : '', lengths(schema, 'entries')]
        .filter(Boolean)
        .join('; ');
    case 'map':
      return ['names and values', entry.kind === 'map' ? entries(entry.rows.length) : ''].filter(Boolean).join('; ');
    default:
      return '';
  }
}

function entries(many: number): string {
  return many === 1 ? '1 entry' : many > 1 ? `${many} entries` : '';
}

const bound = (schema: Schema, name: string): string | undefined =>
  typeof schema[name] === 'number' ? String(schema[name]) : undefined;

function limits(schema: Schema): string {
  const [least, most] = [bound(schema, 'minimum'), bound(schema, 'maximum')];
  const [above, below] = [bound(schema, 'exclusiveMinimum'), bound(schema, 'exclusiveMaximum')];
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  return [
    least !== undefined && `at least ${least}`,
    above !== undefined && `more than ${above}`,
    most !== undefined && `at most ${most}`,
    below !== undefined && `less than ${below}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function lengths(schema: Schema, what: 'characters' | 'entries'): string {
  const [least, most] =
    what === 'characters'
      ? [bound(schema, 'minLength'), bound(schema, 'maxLength')]
      : [bound(schema, 'minItems'), bound(schema, 'maxItems')];
  if (least !== undefined && least === most) return `${least} ${what}`;
  if (least !== undefined && least !== '0' && most !== undefined) return `${least} to ${most} ${what}`;
  if (most !== undefined) return `at most ${most} ${what}`;
  return least !== undefined && Number(least) > 1 ? `at least ${least} ${what}` : '';
}
