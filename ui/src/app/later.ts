/** Loading the parts of the page that are not on the first one, whatever has become of the server meanwhile. */
import { isReachable, onReturn } from './connection';
import { noticeScript } from './version';

/** The server is there, and does not have this part any longer. */
export class Outdated extends Error {
  constructor() {
    super('This part of the page belongs to another version than the server has now. Reload the page to see it.');
    this.name = 'Outdated';
  }
}

/** A browser may remember that a module could not be loaded, however often it is asked. */
const TRIES = 3;

/**
 * Return what loads a part, together with the styles that only such parts need. While the server is gone, it waits for it: a part is
 * there as soon as the server is. Nothing is reloaded by itself.
 */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    for (let tries = 1; ; tries++) {
      try {
        const [part] = await Promise.all([load(), import('./mantineLater')]);
        return part;
      } catch (error) {
        if (!(await isReachable())) await returned();
        else if (tries >= TRIES || (await isMissing(error))) throw outdated();
        await styled();
      }
    }
  };
}

function outdated(): Outdated {
  noticeScript(undefined);
  return new Outdated();
}

function returned(): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = onReturn(() => {
      unwatch();
      resolve();
    });
  });
}

const ADDRESS = /(https?:\/\/\S+|\/assets\/\S+)/;

/** Whether the server says that it does not have what could not be loaded; a part that fails while it runs cannot be loaded again either. */
async function isMissing(error: unknown): Promise<boolean> {
  const address = ADDRESS.exec(error instanceof Error ? error.message : '')?.[1];
  if (address === undefined) return true;
  return fetch(address, { method: 'HEAD' }).then(
    (response) => !response.ok,
    () => false,
  );
}

/** Styles that could not be loaded. What loads parts believes that they are there, and the browser does not try again. */
const failed = new Set<HTMLLinkElement>();

window.addEventListener(
  'error',
  ({ target }) => {
    if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') failed.add(target);
  },
  true, // such an event does not bubble
);

async function styled(): Promise<void> {
  const links = [...failed];
  failed.clear();
  await Promise.all(
    links.map(
      (each) =>
        new Promise<void>((resolve) => {
          const again = each.cloneNode() as HTMLLinkElement;
          again.addEventListener('load', () => resolve());
          again.addEventListener('error', () => resolve());
          each.replaceWith(again);
        }),
    ),
  );
}
