/** Files on their way to fields: they go on while people type, can be cancelled and tried again, and end with the form. */
import { useCallback, useEffect, useRef, type Dispatch } from 'react';
import type { Json } from '../api/json';
import type { Address } from './entry';
import type { Action, FormState } from './reducer';

/** Begin to send; `done` is the value that stands for what was sent. */
export type Sender = (progress: (bytes: number) => void) => { done: Promise<Json>; cancel: () => void };

type Running = { sender: Sender; cancel: () => void };

export function useUploads(state: FormState, dispatch: Dispatch<Action>) {
  const running = useRef(new Map<string, Running>()).current;
  const begun = useRef(0);

  // A field that was removed, cleared or filled in otherwise waits no longer.
  useEffect(() => {
    for (const [id, { cancel }] of running) {
      if (state.uploads[id]) continue;
      running.delete(id);
      cancel();
    }
  }, [running, state.uploads]);
  useEffect(
    () => () => {
      running.forEach(({ cancel }) => cancel());
      running.clear();
    },
    [running],
  );

  const start = useCallback(
    (id: string, sender: Sender) => {
      const { done, cancel } = sender((bytes) => dispatch({ type: 'progress', upload: id, done: bytes }));
      running.set(id, { sender, cancel });
      done.then(
        (value) => {
          if (!running.delete(id)) return;
          dispatch({ type: 'uploaded', upload: id, value });
        },
        (error: unknown) => {
          if (!running.has(id)) return;
          dispatch({ type: 'broken', upload: id, error: error instanceof Error ? error.message : String(error) });
        },
      );
    },
    [dispatch, running],
  );
  const send = useCallback(
    (at: Address, { name, size }: { name: string; size: number }, sender: Sender) => {
      begun.current += 1;
      const upload = `upload-${begun.current}`;
      dispatch({ type: 'uploading', at, upload, name, size, begun: Date.now() });
      // After the field waits for it.
      queueMicrotask(() => start(upload, sender));
    },
    [dispatch, start],
  );
  const again = useCallback(
    (upload: string) => {
      const known = running.get(upload);
      if (!known) return;
      dispatch({ type: 'retried', upload, begun: Date.now() });
      start(upload, known.sender);
    },
    [dispatch, running, start],
  );
  return { send, again };
}
