/** What stands for a file in a value. */
import { isObject, type Json, type JsonObject } from '../api/json';

const DIGEST = /^[0-9a-f]{64}$/;
const PARTS: Record<string, (value: Json) => boolean> = {
  $blob: (value) => typeof value === 'string' && DIGEST.test(value),
  $uri: (value) => typeof value === 'string',
  size: (value) => typeof value === 'number',
  media: (value) => typeof value === 'string',
  name: (value) => typeof value === 'string',
  about: (value) => typeof value === 'string',
  executable: (value) => typeof value === 'boolean' || Array.isArray(value),
};

export type StoredFile = JsonObject & ({ $blob: string } | { $uri: string });

/** Whether a value is a file and nothing else: only then may what is shown of the file stand for it. What merely looks like one is an object. */
export function isBlob(value: Json): value is StoredFile {
  return (
    isObject(value) &&
    '$blob' in value !== '$uri' in value &&
    Object.entries(value).every(([name, each]) => Object.hasOwn(PARTS, name) && PARTS[name]?.(each))
  );
}
