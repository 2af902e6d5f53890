/** Return what loads a part of the page that is not on the first one, together with the styles that only such parts need. */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    const [part] = await Promise.all([load(), import('./mantineLater')]);
    return part;
  };
}
