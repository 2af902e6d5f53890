/** The id of an execution is made here, and kept until one has it. Launching again after a lost reply, or a reload, leads to the same execution. */
import { freshKey } from '../../answer/send';
import { isObject, parseJson, writeJson, type Json } from '../../api/json';

const PREFIX = 'tidegate-launch:';

/** Return the id for what is launched; the same again has the same id, until it is `launched`. */
export function idFor(what: string, body: Json): string {
  const text = writeJson(body);
  const kept = read(what);
  if (kept?.text === text) return kept.id;
  const id = freshKey();
  try {
    sessionStorage.setItem(PREFIX + what, writeJson({ text, id }));
  } catch {
    held.set(what, { text, id });
  }
  return id;
}

/** Something was launched: the same again is another execution. */
export function launched(what: string): void {
  held.delete(what);
  sessionStorage.removeItem(PREFIX + what);
}

type Kept = { text: string; id: string };

/** What the browser has no room for lives as long as the page. */
const held = new Map<string, Kept>();

function read(what: string): Kept | undefined {
  const found = parseJson(sessionStorage.getItem(PREFIX + what) ?? 'null');
  if (isObject(found) && typeof found.text === 'string' && typeof found.id === 'string')
    return { text: found.text, id: found.id };
  return held.get(what);
}
