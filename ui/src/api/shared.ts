/**
 * One fetch for each change and browser: when something changes, each tab asks for the same lists, and those that ask while another one is
 * asking, or after it has, take what that one got.
 */
type Told = { url: string; at: number; text: string };

const CHANNEL = 'tidegate-shared';
/** Lists that are remembered at once: a tab shows two or three. */
const MOST = 12;
/** Milliseconds for what another tab has told to arrive, once its turn is over. */
const ARRIVAL_MS = 40;

/** When the last change was told; every tab hears the same number. */
let changed = 0;
const known = new Map<string, Told>();
const waiting = new Set<(told: Told) => void>();
/** Without locks (plain http from another machine) each tab asks for itself. */
const channel = 'locks' in (globalThis.navigator ?? {}) ? new BroadcastChannel(CHANNEL) : undefined;

if (channel) channel.onmessage = (event: MessageEvent<Told>) => keep(event.data);

/** Something has changed: nothing that was fetched before counts. */
export function noticeChange(at: number): void {
  changed = Math.max(changed, at);
}

function keep(told: Told): void {
  known.delete(told.url);
  known.set(told.url, told);
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  waiting.forEach((each) => each(told));
}

function fresh(url: string): string | undefined {
  const told = known.get(url);
  return told !== undefined && told.at >= changed ? told.text : undefined;
}

/** Fetch a text, or take what another tab fetched since the last change. Before the first change nothing is shared. */
export async function shared(
  url: string,
  load: (url: string) => Promise<string>,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (changed === 0 || channel === undefined) return load(url);
  const mine = async () => {
    const at = changed;
    const text = await load(url);
    const told = { url, at, text };
    channel.postMessage(told);
    keep(told);
    return text;
  };
  const turn = `${CHANNEL}:${url}`;
  const first = await navigator.locks.request(turn, { ifAvailable: true }, (lock) =>
    lock === null ? undefined : (fresh(url) ?? mine()),
  );
  if (first !== undefined) return first;
  return navigator.locks.request(turn, signal ? { signal } : {}, async () => {
    await arrival(url);
    return fresh(url) ?? mine();
  });
}

function arrival(url: string): Promise<void> {
  return new Promise((resolve) => {
    if (fresh(url) !== undefined) return resolve();
    const end = () => {
      waiting.delete(heard);
      window.clearTimeout(timer);
      resolve();
    };
    const heard = (told: Told) => told.url === url && end();
    const timer = window.setTimeout(end, ARRIVAL_MS);
    waiting.add(heard);
    return undefined;
  });
}
