/**
 * Whether changes are followed, by this tab or by the one that keeps the stream. What is fetched after that misses none, and so need not be
 * fetched again once the stream is open.
 */
let isFollowed = false;
let release: () => void = () => undefined;
const following = new Promise<void>((resolve) => {
  release = resolve;
});

export function areFollowed(): boolean {
  return isFollowed;
}

export function nowFollowed(): void {
  isFollowed = true;
  release();
}

export function followed(): Promise<void> {
  return following;
}
