/** Addresses that a person has kept under a name, in this browser. */
export type SavedView = { name: string; address: string };

const keyOf = (owner: string, place: string) => `tidegate-views:${encodeURIComponent(owner)}:${place}`;

export function readViews(owner: string, place: string): SavedView[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(owner, place)) ?? '[]');
    return Array.isArray(found) ? found.filter(isView) : [];
  } catch {
    return [];
  }
}

/** Only addresses of this page count: a stored one is followed by a click. */
function isView(each: unknown): each is SavedView {
  const view = each as Partial<SavedView> | null;
  return typeof view?.name === 'string' && typeof view.address === 'string' && /^\/(?!\/)/.test(view.address);
}

export function writeViews(owner: string, place: string, views: readonly SavedView[]): void {
  try {
    localStorage.setItem(keyOf(owner, place), JSON.stringify(views));
  } catch {
    // The store of the browser is full: the views live as long as the page.
  }
}
