/**
 * One event stream for a browser, not for a tab: over HTTP/1.1 a browser has six connections to a host, and a stream keeps one.
 *
 * The tab that holds the lock holds the stream, and passes on what comes; when it closes, the next tab takes the lock.
 * Where there are no locks (plain http from another machine) there is no stream, and each tab asks again every few seconds.
 */
/** What is read of an event of the stream. */
type FeedView = { execution: string };

/** `changed` are executions, by id. */
export type Message = { changed: string[] } | { everything: true } | { connected: boolean };
export type Listener = (message: Message) => void;

const CHANNEL = 'tidegate-live';
const COLLECT_MS = 60;
const POLL_MS = 5_000;
const RETRY_MS = 1_500;

/** Follow what changes, until the returned function is called. */
export function followChanges(listener: Listener): () => void {
  if (!('locks' in navigator)) {
    const timer = window.setInterval(() => listener({ everything: true }), POLL_MS);
    return () => window.clearInterval(timer);
  }
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event: MessageEvent<Message>) => listener(event.data);
  const tell = (message: Message) => {
    listener(message);
    channel.postMessage(message);
  };
  const stop = new AbortController();
  navigator.locks
    .request(CHANNEL, { signal: stop.signal }, () => holdStream(tell, stop.signal))
    .catch(() => undefined); // the wait for the lock was given up
  return () => {
    stop.abort();
    channel.close();
  };
}

function holdStream(tell: Listener, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let stream: EventSource | undefined;
    let retry = 0;
    let flush = 0;
    const collected = new Set<string>();

    const pass = () => {
      flush = 0;
      tell({ changed: [...collected] });
      collected.clear();
    };
    const open = () => {
      const opened = new EventSource('/api/v1/events');
      stream = opened;
      opened.onopen = () => {
        tell({ connected: true });
        tell({ everything: true }); // something may have been missed
      };
      opened.onmessage = (event: MessageEvent<string>) => {
        collected.add((JSON.parse(event.data) as FeedView).execution);
        if (flush === 0) flush = window.setTimeout(pass, COLLECT_MS);
      };
      opened.onerror = () => {
        tell({ connected: false });
        opened.close();
        retry = window.setTimeout(open, RETRY_MS);
      };
    };
    open();
    stopped.addEventListener('abort', () => {
      stream?.close();
      window.clearTimeout(retry);
      window.clearTimeout(flush);
      resolve();
    });
  });
}
