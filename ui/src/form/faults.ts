/** What the page itself knows to be wrong: a value that is needed and missing, and text that cannot be read as one. All else the server says. */
import type { FaultDocument } from '../api/types';
import { keyOf, same, type Path } from './check';
import { isBlank, type Entry, type Leaf } from './entry';
import { resolve, shapeOf, type Schema, type Shape } from './shape';

const MISSING = 'Needs a value';

/** Return the faults of an entry, in the order of its fields. */
export function faultsOf(entry: Entry, given: Schema, root: Schema, path: Path = []): FaultDocument[] {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  switch (entry.kind) {
    case 'leaf': {
      const reason = faultOf(entry, shape);
      return reason ? [{ path, reason }] : [];
    }
    case 'record': {
      if (shape.kind !== 'record') return [];
      return shape.parts.flatMap(([name, part]) => {
        const inside = entry.parts[name];
        return inside ? faultsOf(inside, part, root, [...path, name]) : [];
      });
    }
    case 'list': {
      const items =
        shape.kind === 'list' ? () => shape.items : (at: number) => ('items' in shape && shape.items[at]) || {};
      return entry.items.flatMap(({ of }, at) => faultsOf(of, items(at) as Schema, root, [...path, at]));
    }
    case 'map':
      return entry.rows.flatMap(({ name, of }, at) => {
        const twice = entry.rows.findIndex((row) => row.name === name) < at;
        const found = faultsOf(of, shape.kind === 'map' ? shape.values : {}, root, [...path, name]);
        return twice ? [{ path, reason: `The name "${name}" is used twice` }, ...found] : found;
      });
    case 'union':
      return faultsOf(entry.of, (shape.kind === 'union' && shape.members[entry.member]) || {}, root, path);
    case 'optional': {
      if (entry.of === undefined || isBlank(entry.of)) return [];
      return faultsOf(entry.of, entry.none === null && shape.kind === 'optional' ? shape.inner : schema, root, path);
    }
  }
}

function faultOf(leaf: Leaf, shape: Shape): string {
  if (leaf.wrong) return leaf.wrong;
  // It waits for its value, and the form with it.
  if (leaf.upload) return '';
  if (leaf.value === undefined) return missing(shape);
  if (shape.kind === 'choice') {
    const { value } = leaf;
    return shape.choices.some((each) => same(each.value, value)) ? '' : 'Choose one of these';
  }
  return '';
}

function missing(shape: Shape): string {
  switch (shape.kind) {
    case 'boolean':
      return 'Choose yes or no';
    case 'choice':
      return 'Choose one of these';
    case 'bytes':
      return 'Choose a file';
    case 'blob':
      return shape.of === 'directory' ? 'Choose a directory' : 'Choose a file';
    default:
      return MISSING;
  }
}

/** Return the faults of both, each place once, those of the page first. */
export function together(own: FaultDocument[], others: FaultDocument[]): FaultDocument[] {
  const known = new Set(own.map(({ path }) => keyOf(path)));
  return [...own, ...others.filter(({ path }) => !known.has(keyOf(path)))];
}
