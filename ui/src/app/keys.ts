import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

const STORED = 'tidegate-single-keys';
const PAIR_MS = 1_200;

/** Whether keys without Ctrl do something; people who dictate or use a switch may want them off. */
export function areSingleKeysOn(): boolean {
  return localStorage.getItem(STORED) !== 'off';
}

export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(areSingleKeysOn);
  return [
    on,
    (next) => {
      localStorage.setItem(STORED, next ? 'on' : 'off');
      setOn(next);
    },
  ];
}

/** Whether a key press is meant for a field, or for something else that takes keys. */
export function isTyping(event: KeyboardEvent): boolean {
  const at = event.target;
  return (
    at instanceof HTMLElement &&
    (at.isContentEditable ||
      at.matches(
        'input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [role=combobox], [role=menuitem], [role=listbox] *',
      ))
  );
}

/** Whether something lies over the page that takes no keys for what is behind it. */
export function areBlocked(): boolean {
  return document.querySelector('[data-blocks-keys]') !== null;
}

/** Keep Escape from every dialog behind what blocks keys. Call it before the first dialog listens: the order of listeners decides. */
export function shieldEscape(): void {
  const shield = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && areBlocked()) event.stopImmediatePropagation();
  };
  window.addEventListener('keydown', shield, true);
}

/** Call what belongs to a key, unless a field has the focus. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>, enabled = true): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!enabled) return undefined;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || !areSingleKeysOn() || areBlocked())
        return;
      const found = latest.current[event.key];
      if (found) {
        event.preventDefault();
        found(event);
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [enabled]);
}

/** `g` and then `i`, `e` or `w`: to the inbox, the executions, the workflows. */
export function useNavigationKeys(): void {
  const navigate = useNavigate();
  const pressed = useRef(0);
  const go = (to: '/' | '/executions' | '/workflows') => () => {
    if (performance.now() - pressed.current < PAIR_MS) void navigate({ to });
  };
  useKeys({
    g: () => {
      pressed.current = performance.now();
    },
    i: go('/'),
    e: go('/executions'),
    w: go('/workflows'),
  });
}
