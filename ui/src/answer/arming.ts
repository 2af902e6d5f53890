/**
 * Deciding by keys and taps takes two steps: the first arms a decision, the second takes it. What somebody types in the wrong place may arm
 * something, and the next letter disarms it. Pure: the time comes from outside.
 */

export type Verdict = 'approve' | 'reject';

export type Armed = { verdict: Verdict; at: number };

/** Milliseconds after arming in which a second key or tap is that of a key held down or of a double tap (Android counts 300). */
export const TOO_SOON_MS = 250;

/** Milliseconds after which what is armed is so no longer. */
export const LASTS_MS = 10_000;

const LETTERS: Record<string, Verdict> = { a: 'approve', r: 'reject' };

/** A key pressed outside all text fields. `focused` is the decision whose button has the focus. */
export type Press = {
  key: string;
  shift: boolean;
  repeat: boolean;
  at: number;
  focused: Verdict | undefined;
  /** Whether keys without Ctrl do anything. */
  letters: boolean;
};

/** What a key or a tap does. `ignore` keeps the browser from acting on it; `pass` leaves it to others. */
export type Act =
  | { does: 'arm'; verdict: Verdict }
  | { does: 'decide'; verdict: Verdict }
  | { does: 'disarm' | 'close' | 'comment' | 'previous' | 'next' | 'ignore' | 'pass' };

const PASS: Act = { does: 'pass' };
const IGNORE: Act = { does: 'ignore' };

/** The letter of a key. With Caps Lock on it is still that letter; with Shift it is text. */
const letterOf = ({ key, shift }: Press) => (shift ? key : key.toLowerCase());

/** Whether a key writes something, the space bar included. */
const isPrintable = (key: string) => [...key].length === 1;

export function onPress(armed: Armed | undefined, press: Press): Act {
  const { key, repeat, at, focused, letters } = press;
  if (key === 'Escape') return { does: armed ? 'disarm' : 'close' };
  if (key === 'Enter') {
    if (focused === undefined) return PASS;
    const tooSoon = armed !== undefined && at - armed.at < TOO_SOON_MS;
    return repeat || tooSoon ? IGNORE : { does: 'decide', verdict: focused };
  }
  if (!isPrintable(key)) return PASS;
  const letter = letterOf(press);
  const verdict = LETTERS[letter];
  if (letters && verdict !== undefined) return repeat ? IGNORE : { does: 'arm', verdict };
  if (letters && letter === 'c') return { does: 'comment' };
  if (armed !== undefined) return { does: 'disarm' };
  // A word typed on a focused button holds spaces: the space bar arms, and only Enter decides.
  if (key === ' ' && focused !== undefined) return repeat ? IGNORE : { does: 'arm', verdict: focused };
  if (letters && key === '[') return { does: 'previous' };
  if (letters && key === ']') return { does: 'next' };
  return PASS;
}

/**
 * What a key does in the moment in which a question has only just appeared, when nothing is decided: `wanted` is what was pressed in it before.
 * A letter arms once that moment is over, any other key takes that back.
 */
export function onEarlyPress(wanted: Verdict | undefined, press: Press): Verdict | undefined {
  const { repeat, letters, key } = press;
  if (repeat) return wanted;
  const verdict = LETTERS[letterOf(press)];
  if (letters && verdict !== undefined) return verdict;
  return isPrintable(key) || key === 'Escape' ? undefined : wanted;
}

/** A press on a button that decides. `pointer` is empty if no pointer did it: the keyboard, or a screen reader. */
export function onTap(armed: Armed | undefined, verdict: Verdict, pointer: string, at: number): Act {
  if (pointer !== 'touch' && pointer !== 'pen') return { does: 'decide', verdict };
  if (armed?.verdict !== verdict) return { does: 'arm', verdict };
  return at - armed.at < TOO_SOON_MS ? IGNORE : { does: 'decide', verdict };
}
