import { areBlocked } from '../app/keys';

/** Whether the answer dialog is what lies on top, and not a menu, a popover or another dialog over it: what opens later comes later in the document. */
export function isOnTop(): boolean {
  if (areBlocked()) return false;
  const layers = document.querySelectorAll('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]');
  const last = [...layers].filter((each) => each.getClientRects().length > 0).at(-1);
  return last?.classList.contains('answer') ?? false;
}
