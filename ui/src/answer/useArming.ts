/** The two steps of a decision, on the keyboard and on the screen. What counts as a step is decided in `arming`. */
import { useCallback, useEffect, useRef, useState, type MouseEvent } from 'react';
import { areSingleKeysOn, isTyping } from '../app/keys';
import { isOnTop } from './top';
import { LASTS_MS, onEarlyPress, onPress, onTap, type Act, type Armed, type Press, type Verdict } from './arming';

export type Arming = {
  armed: Verdict | undefined;
  /** What a button that decides needs. */
  button: (verdict: Verdict) => {
    ref: (element: HTMLButtonElement | null) => void;
    onClick: (event: MouseEvent<HTMLButtonElement>) => void;
    onBlur: () => void;
    'data-decides': Verdict;
  };
};

type Options = {
  /** Whether anything can be decided now. */
  enabled: boolean;
  /** Whether it can be in a moment: the question has only just appeared. */
  isSettling: boolean;
  /** What is decided about: when it changes, nothing stays armed. */
  subject: string;
  decide: (verdict: Verdict) => void;
  /** Put the focus back where reading starts. */
  leave: () => void;
  comment: () => void;
};

export function useArming({ enabled, isSettling, subject, decide, leave, comment }: Options): Arming {
  const [armed, setArmed] = useState<Armed>();
  const now = useRef<Armed>(undefined);
  const wanted = useRef<Verdict>(undefined);
  const buttons = useRef(new Map<Verdict, HTMLButtonElement>());
  const set = useCallback((next: Armed | undefined) => {
    now.current = next;
    setArmed(next);
  }, []);
  const act = useRef<(done: Act) => boolean>(() => false);
  act.current = (done) => {
    switch (done.does) {
      case 'arm':
        // Before the focus moves: the blur of another button must not disarm this one.
        set({ verdict: done.verdict, at: performance.now() });
        buttons.current.get(done.verdict)?.focus();
        return true;
      case 'decide':
        set(undefined);
        decide(done.verdict);
        return true;
      case 'disarm':
        set(undefined);
        leave();
        return true;
      case 'comment':
        set(undefined);
        comment();
        return true;
      case 'ignore':
        return true;
      default:
        return false;
    }
  };

  // What was pressed too early is not lost: it arms, and an armed decision needs another key.
  useEffect(() => {
    if (!isSettling) return undefined;
    const press = (event: KeyboardEvent) => {
      const what = pressOf(event);
      if (what) wanted.current = onEarlyPress(wanted.current, what);
    };
    window.addEventListener('keydown', press, true);
    return () => window.removeEventListener('keydown', press, true);
  }, [isSettling]);

  useEffect(() => {
    set(undefined);
    if (!enabled) return undefined;
    if (wanted.current) act.current({ does: 'arm', verdict: wanted.current });
    wanted.current = undefined;
    const press = (event: KeyboardEvent) => {
      const what = pressOf(event);
      if (!what) return;
      const done = onPress(now.current, what);
      // The dialog closes itself, and other questions are its matter too.
      if (act.current(done)) event.preventDefault();
    };
    // Some browsers press a focused button when the space bar comes up again.
    const release = (event: KeyboardEvent) => {
      if (event.key === ' ' && decisionOf(event.target) !== undefined) event.preventDefault();
    };
    const disarm = () => set(undefined);
    // Before the fields and the dialog, which then see what was taken.
    window.addEventListener('keydown', press, true);
    window.addEventListener('keyup', release);
    window.addEventListener('blur', disarm);
    return () => {
      window.removeEventListener('keydown', press, true);
      window.removeEventListener('keyup', release);
      window.removeEventListener('blur', disarm);
    };
  }, [enabled, subject, set]);

  useEffect(() => {
    if (armed === undefined) return undefined;
    const timer = window.setTimeout(() => set(undefined), LASTS_MS);
    return () => window.clearTimeout(timer);
  }, [armed, set]);

  return {
    armed: armed?.verdict,
    button: (verdict) => ({
      ref: (element) => {
        if (element) buttons.current.set(verdict, element);
        else buttons.current.delete(verdict);
      },
      onClick: (event) => {
        act.current(onTap(now.current, verdict, pointerOf(event), performance.now()));
      },
      onBlur: () => {
        if (now.current?.verdict === verdict) set(undefined);
      },
      'data-decides': verdict,
    }),
  };
}

/** What was pressed, if it was not for a field, or for something that lies over the question. */
function pressOf(event: KeyboardEvent): Press | undefined {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (isTyping(event) || !isOnTop()) return undefined;
  return {
    key: event.key,
    shift: event.shiftKey,
    repeat: event.repeat,
    at: performance.now(),
    focused: decisionOf(event.target),
    letters: areSingleKeysOn(),
  };
}

function decisionOf(target: EventTarget | null): Verdict | undefined {
  const button = target instanceof Element ? target.closest('[data-decides]') : null;
  const verdict = button?.getAttribute('data-decides');
  return verdict === 'approve' || verdict === 'reject' ? verdict : undefined;
}

/** Which pointer has clicked; empty if none has. */
function pointerOf({ nativeEvent }: MouseEvent): string {
  return 'pointerType' in nativeEvent && typeof nativeEvent.pointerType === 'string' ? nativeEvent.pointerType : '';
}
