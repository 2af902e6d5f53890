/** What an answer must be, in a few words. */
import { isObject } from '../api/json';
import type { WaitingView } from '../api/types';
import { nameOf, shapeOf } from '../form/shape';

const LONGEST = 40;
/** What the server's words hold for those who must type it: here there is a form. */
const EXAMPLE = / \((?:PT|\d)[^)]*\)|, as base64/g;

export function expected({ kind, expects, schema }: Pick<WaitingView, 'kind' | 'expects' | 'schema'>): string {
  if (kind === 'approve') return 'approve or reject';
  const short = expects.replace(EXAMPLE, '');
  if (short.length <= LONGEST) return short || 'any value';
  const root = isObject(schema) ? schema : {};
  const shape = shapeOf(root, root);
  return shape.kind === 'choice' ? `one of ${shape.choices.length}` : nameOf(root, root);
}
