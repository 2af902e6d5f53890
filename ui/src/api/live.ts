/**
 * One event stream for a browser, not for a tab: over HTTP/1.1 a browser has six connections to a host, and a stream keeps one.
 *
 * The tab that holds the lock keeps the stream open, and forwards its messages; when it closes, the next tab takes the lock.
 * Without locks (plain http from another machine), each tab opens its own stream, but only while it is visible.
 */
import { getAtOnce } from './client';
import { isSessionEnded, onResumed } from './ended';
import { areFollowed, nowFollowed } from './followed';

/** The fields that are read of a message. It names at most the first hundred changed nodes; `changed` counts all of them. */
type FeedView = { execution: string; event: { kind: string; details: { changes?: Phases; changed?: number } } };

/** The new phases of nodes, by id. Nodes that a message does not name count as one node without an id that may wait for an answer. */
export type Phases = Record<string, string>;
const UNNAMED: Phases = { '': 'WAITING' };

/** `changed` are executions, by id, with what is known to have changed in them; `at` is when it was told. */
export type Message =
  | { changed: Record<string, Phases>; at: number }
  | { everything: true; at: number }
  | { connected: boolean }
  | { script: string };
/** `script` is that of the page which the server gives out now. */
export type Listener = (message: Message) => void;

const CHANNEL = 'tidegate-live';
const COLLECT_MS = 60;
const RETRY_MS = 1_500;
/** The server ends each stream after some minutes and the browser reconnects about a second later: that is not an outage. */
const GRACE_MS = 3_000;
/** A first page does without the stream after so long: it is fetched again once that is open. */
const LATE_MS = 500;
const SCRIPT = /src="(\/assets\/[^"]+\.js)"/;

/** Add a change of an execution to those that were collected before. */
export function collect(collected: Record<string, Phases>, execution: string, phases: Phases): void {
  Object.assign((collected[execution] ??= {}), phases);
}

function phasesOf({ event: { kind, details } }: FeedView): Phases {
  const { changes = {}, changed = 0 } = details;
  return kind === 'Damaged' || changed > Object.keys(changes).length ? { ...changes, ...UNNAMED } : changes;
}

/** Follow what changes, until the returned function is called. */
export function followChanges(listener: Listener): () => void {
  window.setTimeout(nowFollowed, LATE_MS);
  if (!('locks' in navigator)) return followWhileVisible(listener);
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: MessageEvent<Message>) => listener(event.data);
  const tell = (message: Message) => {
    listener(message);
    channel.postMessage(message);
  };
  const stop = new AbortController();
  const hold = () =>
    new Promise<void>((resolve) => {
      const close = openStream(tell);
      stop.signal.addEventListener('abort', () => {
        close();
        resolve();
      });
    });
  void navigator.locks.query().then(({ held }) => held?.some((each) => each.name === CHANNEL) && nowFollowed());
  navigator.locks.request(CHANNEL, { signal: stop.signal }, hold).catch(() => undefined); // the wait for the lock was given up
  return () => {
    stop.abort();
    channel.close();
  };
}

function followWhileVisible(listener: Listener): () => void {
  let close: (() => void) | undefined;
  const follow = () => {
    if (document.visibilityState === 'visible') {
      close ??= openStream(listener);
    } else {
      close?.();
      close = undefined;
    }
  };
  document.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    document.removeEventListener('visibilitychange', follow);
    close?.();
  };
}

/** Open the stream; if it breaks, the browser resumes it after the last message received. Returns a function that closes it. */
function openStream(tell: Listener): () => void {
  let stream: EventSource | undefined;
  let resumes = false;
  let isGone = false;
  let wasOpen = false;
  let retry = 0;
  let grace = 0;
  let flush = 0;
  let collected: Record<string, Phases> = {};

  const pass = () => {
    flush = 0;
    tell({ changed: collected, at: Date.now() });
    collected = {};
  };
  const miss = () => {
    isGone = true;
    tell({ connected: false });
  };
  const open = () => {
    const opened = new EventSource('/api/v1/events');
    stream = opened;
    resumes = false;
    opened.onopen = () => {
      window.clearTimeout(grace);
      grace = 0;
      tell({ connected: true });
      // Messages may be missing: there was none to resume after, or the server was gone and may be back with another store.
      if (!areFollowed()) nowFollowed();
      else if (!resumes || isGone) tell({ everything: true, at: Date.now() });
      isGone = false;
      if (wasOpen) void script().then((found) => found && tell({ script: found }));
      wasOpen = true;
    };
    opened.onmessage = (event: MessageEvent<string>) => {
      resumes = event.lastEventId !== '';
      const view = JSON.parse(event.data) as FeedView;
      collect(collected, view.execution, phasesOf(view));
      if (flush === 0) flush = window.setTimeout(pass, COLLECT_MS);
    };
    opened.onerror = () => {
      if (grace === 0) grace = window.setTimeout(miss, GRACE_MS);
      // The browser reconnects after a break, but not after a refusal.
      if (opened.readyState === EventSource.CLOSED) void refused();
    };
  };
  const refused = async () => {
    // It does not say why: a request tells whether the session has ended. Then the stream waits for the next sign-in.
    await getAtOnce('/api/v1/session').catch(() => undefined);
    if (!isSessionEnded()) {
      retry = window.setTimeout(open, RETRY_MS);
      return;
    }
    window.clearTimeout(grace);
    grace = 0;
  };
  const unwatch = onResumed(() => {
    if (stream?.readyState !== EventSource.CLOSED) return;
    window.clearTimeout(retry);
    open();
  });
  open();
  return () => {
    unwatch();
    stream?.close();
    [retry, grace, flush].forEach((timer) => window.clearTimeout(timer));
  };
}

/** Return the script of the page that the server gives out now, which another version has under another name. */
async function script(): Promise<string | undefined> {
  const text = await fetch('/').then(
    (response) => response.text(),
    () => '',
  );
  return SCRIPT.exec(text)?.[1];
}
