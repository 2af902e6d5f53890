import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';

/** The field that `/` leads to, on whatever page it stands. */
const FIELD = 'input[data-search]';
const DRAWN_MS = 50;
const TRIES = 40;

/** Lead to the search field of the page; from a page without one, to that of the inbox. */
export function useFind(): () => void {
  const navigate = useNavigate();
  return useCallback(() => {
    if (focusField()) return;
    void navigate({ to: '/' }).then(() => focusSoon(TRIES));
  }, [navigate]);
}

function focusField(): boolean {
  const field = document.querySelector<HTMLInputElement>(FIELD);
  field?.focus();
  field?.select();
  return field !== null;
}

/** A page draws its field once its code is loaded. */
function focusSoon(tries: number): void {
  if (!focusField() && tries > 0) window.setTimeout(() => focusSoon(tries - 1), DRAWN_MS);
}
