import { describe, expect, it } from 'vitest';
import { LASTS_MS, onEarlyPress, onPress, onTap, TOO_SOON_MS, type Armed, type Press, type Verdict } from './arming';

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  shift: false,
  repeat: false,
  at: 0,
  focused: undefined,
  letters: true,
  ...more,
});

/** Type a text as somebody does who thinks that a field has the focus; return what was decided on the way. */
function typed(text: string, everyMs: number): Verdict[] {
  const decided: Verdict[] = [];
  let armed: Armed | undefined;
  let at = 0;
  for (const key of text) {
    at += everyMs;
    const name = key === '\n' ? 'Enter' : key;
    const act = onPress(armed, press(name, { at, focused: armed?.verdict, shift: key !== key.toLowerCase() }));
    if (act.does === 'arm') armed = { verdict: act.verdict, at };
    else if (act.does === 'decide') decided.push(act.verdict);
    else if (act.does === 'disarm') armed = undefined;
    else if (act.does === 'comment') break; // the rest goes into the field
  }
  return decided;
}

describe('keys', () => {
  it('a letter arms, and only Enter decides', () => {
    expect(onPress(undefined, press('a'))).toEqual({ does: 'arm', verdict: 'approve' });
    expect(onPress(undefined, press('r'))).toEqual({ does: 'arm', verdict: 'reject' });
    const armed: Armed = { verdict: 'approve', at: 0 };
    expect(onPress(armed, press('Enter', { at: TOO_SOON_MS, focused: 'approve' }))).toEqual({
      does: 'decide',
      verdict: 'approve',
    });
  });

  it.each(['wait, ask Ann first', 'a lot', 'are you sure?', 'rather not', 'a a a a', 'aaaa', 'Ann?', 'r r', 'a,r,a'])(
    'typing %j decides nothing',
    (text) => {
      expect(typed(text, 90)).toEqual([]);
      expect(typed(text, 2_000)).toEqual([]);
    },
  );

  it('Enter right after the letter decides nothing', () => {
    expect(typed('a\n', TOO_SOON_MS - 1)).toEqual([]);
    expect(typed('a\n', TOO_SOON_MS)).toEqual(['approve']);
  });

  it('a key held down decides nothing', () => {
    const armed: Armed = { verdict: 'approve', at: 0 };
    expect(onPress(armed, press('Enter', { repeat: true, at: 5_000, focused: 'approve' })).does).toBe('ignore');
    expect(onPress(undefined, press('a', { repeat: true })).does).toBe('ignore');
  });

  it('Enter without the focus on a decision is none', () => {
    expect(onPress({ verdict: 'approve', at: 0 }, press('Enter', { at: 5_000 })).does).toBe('pass');
  });

  it('Enter decides on a button that was reached by Tab, the space bar only arms it', () => {
    expect(onPress(undefined, press('Enter', { focused: 'reject' }))).toEqual({ does: 'decide', verdict: 'reject' });
    expect(onPress(undefined, press(' ', { focused: 'reject' }))).toEqual({ does: 'arm', verdict: 'reject' });
  });

  it.each([' ', 'x', '1', 'A', '?', '[', 'é', '👍'])('%j disarms', (key) => {
    expect(onPress({ verdict: 'approve', at: 0 }, press(key, { shift: key === 'A', focused: 'approve' })).does).toBe(
      'disarm',
    );
  });

  it('the other letter arms the other decision', () => {
    expect(onPress({ verdict: 'approve', at: 0 }, press('r', { focused: 'approve' }))).toEqual({
      does: 'arm',
      verdict: 'reject',
    });
  });

  it('Escape disarms first, and closes when nothing is armed', () => {
    expect(onPress({ verdict: 'approve', at: 0 }, press('Escape')).does).toBe('disarm');
    expect(onPress(undefined, press('Escape')).does).toBe('close');
  });

  it('Caps Lock changes no letter, and Shift makes it text', () => {
    expect(onPress(undefined, press('A'))).toEqual({ does: 'arm', verdict: 'approve' });
    expect(onPress(undefined, press('A', { shift: true })).does).toBe('pass');
  });

  it('with single keys off, letters do nothing, and buttons still work', () => {
    for (const key of ['a', 'r', 'c', '[', ']'])
      expect(onPress(undefined, press(key, { letters: false })).does).toBe('pass');
    expect(onPress(undefined, press('Enter', { letters: false, focused: 'approve' })).does).toBe('decide');
  });
});

describe('pointers', () => {
  it('a mouse decides at once', () => {
    expect(onTap(undefined, 'approve', 'mouse', 0)).toEqual({ does: 'decide', verdict: 'approve' });
  });

  it.each(['touch', 'pen'])('by %s the first tap arms, and the second decides', (pointer) => {
    expect(onTap(undefined, 'approve', pointer, 0)).toEqual({ does: 'arm', verdict: 'approve' });
    const armed: Armed = { verdict: 'approve', at: 0 };
    expect(onTap(armed, 'approve', pointer, 1_000)).toEqual({ does: 'decide', verdict: 'approve' });
    expect(onTap(armed, 'reject', pointer, 1_000)).toEqual({ does: 'arm', verdict: 'reject' });
  });

  it('a double tap decides nothing', () => {
    expect(onTap({ verdict: 'approve', at: 0 }, 'approve', 'touch', TOO_SOON_MS - 1).does).toBe('ignore');
  });

  it('what is armed stays armed for ten seconds', () => {
    expect(LASTS_MS).toBeGreaterThan(TOO_SOON_MS);
    expect(LASTS_MS).toBe(10_000);
  });
});

describe('keys before the question takes any', () => {
  it('the last letter counts once it does, and any other key takes it back', () => {
    const after = (keys: string[]) =>
      keys.reduce<Verdict | undefined>((wanted, key) => onEarlyPress(wanted, press(key)), undefined);
    expect(after(['a'])).toBe('approve');
    expect(after(['a', 'r'])).toBe('reject');
    expect(after(['a', 'l'])).toBeUndefined();
    expect(after(['a', 'Escape'])).toBeUndefined();
    expect(after(['a', 'Shift'])).toBe('approve');
    expect(after(['Enter'])).toBeUndefined();
    expect(onEarlyPress(undefined, press('a', { repeat: true }))).toBeUndefined();
    expect(onEarlyPress(undefined, press('a', { letters: false }))).toBeUndefined();
  });
});
