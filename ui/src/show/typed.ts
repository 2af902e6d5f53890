/** What a value was declared as, followed into its parts. */
import { shapeOf, type Schema, type Shape } from '../form/shape';

export type Typed = { schema: Schema; root: Schema };

function shape(type: Typed): Shape {
  const found = shapeOf(type.schema, type.root);
  return found.kind === 'optional' ? shapeOf(found.inner, type.root) : found;
}

export function typeOf(type: Typed | undefined): Shape['kind'] | undefined {
  return type && shape(type).kind;
}

/** The type of one part; undefined where that is not known. */
export function partOf(type: Typed | undefined, at: string | number): Typed | undefined {
  const schema = type && partSchema(shape(type), at);
  return type && schema && { schema, root: type.root };
}

function partSchema(found: Shape, at: string | number): Schema | undefined {
  switch (found.kind) {
    case 'list':
      return found.items;
    case 'tuple':
      return found.items[Number(at)];
    case 'record':
      return found.parts.find(([name]) => name === at)?.[1];
    case 'map':
      return found.values;
    default:
      return undefined;
  }
}
