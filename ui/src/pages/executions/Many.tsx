/** One action for many executions: what it would do to each, and what has become of each. */
import { Button, Modal, TextInput } from '@mantine/core';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { freshKey } from '../../answer/send';
import { call, segments } from '../../api/client';
import type { ExecutionLine, ExecutionView, RecoveryView } from '../../api/types';
import { ENDED, PhaseBadge } from '../../graph/phases';
import { recoveryQuery } from '../execution/queries';
import { lookOf } from './states';

export type Act = 'recover' | 'relaunch' | 'terminate';

const WORDS: Record<Act, { word: string; done: string; effect: string }> = {
  recover: {
    word: 'Recover',
    done: 'recovered',
    effect: 'Each continues as a new execution, with the results it has.',
  },
  relaunch: { word: 'Relaunch', done: 'relaunched', effect: 'Each is launched again from its inputs.' },
  terminate: {
    word: 'Terminate',
    done: 'terminated',
    effect: 'Running tasks are stopped, and open questions leave the inbox.',
  },
};
/** Requests under way at once: enough to hide the way to the server, and few enough for others. */
const AT_ONCE = 4;

/** Whether an action makes sense for an execution. */
export function canAct(act: Act, { phase, damaged }: ExecutionLine): boolean {
  if (damaged) return false;
  if (act === 'relaunch') return true;
  const isOver = ENDED.has(phase);
  return act === 'terminate' ? !isOver : isOver && phase !== 'SUCCEEDED';
}

type Result = { line: ExecutionLine; error: string };

export function Many({
  act,
  lines: selected,
  onClose,
}: {
  act: Act;
  lines: ExecutionLine[];
  onClose: (done: string[]) => void;
}) {
  // As they were when the question was asked: what is done changes them while it is told.
  const [lines] = useState(selected);
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [results, setResults] = useState<Result[]>([]);
  const [isBusy, setBusy] = useState(false);
  const ids = useRef(new Map<string, string>());
  const { word, done, effect } = WORDS[act];
  const chosen = lines.filter((each) => canAct(act, each));
  const previews = usePreviews(act, chosen);
  const good = results.filter((each) => !each.error);
  const left = chosen.filter((each) => !good.some(({ line }) => line.id === each.id));
  const isOver = results.length > 0 && !isBusy;

  const one = async (line: ExecutionLine): Promise<Result> => {
    const path = `/api/v1/executions/${segments(line.id)}`;
    try {
      if (act === 'terminate') await call('POST', `${path}/abort`, { reason });
      else {
        const id = ids.current.get(line.id) ?? freshKey();
        ids.current.set(line.id, id);
        await call<ExecutionView>('POST', `${path}/${act}`, { id });
      }
      return { line, error: '' };
    } catch (error) {
      return { line, error: error instanceof Error ? error.message : String(error) };
    }
  };
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    const found = [...good];
    const queue = [...left];
    const work = async () => {
      for (let line = queue.shift(); line; line = queue.shift()) {
        found.push(await one(line));
        setResults([...found]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    setBusy(false);
    void queries.invalidateQueries({ queryKey: ['executions'] });
  };
  const close = () => onClose(good.map(({ line }) => line.id));
  return (
    <Modal
      opened
      onClose={close}
      closeOnEscape={!isBusy}
      size="lg"
      title={
        isOver ? `${good.length} of ${chosen.length} ${done}` : `${word} ${chosen.length} of ${lines.length} selected?`
      }
      closeButtonProps={{ 'aria-label': 'Close', disabled: isBusy }}
    >
      <p className="dim exs-effect">{effect}</p>
      <ul className="exs-many" tabIndex={0} aria-label="Selected executions">
        {lines.map((line) => (
          <li key={line.id}>
            <span className="ell">
              {line.workflow} <span className="exs-id">{line.id}</span>
            </span>
            <PhaseBadge phase={lookOf(line)} />
            <span className="exs-what-then">{what(line, act, results, previews.get(line.id))}</span>
          </li>
        ))}
      </ul>
      {act === 'terminate' && !isOver && (
        <TextInput
          label="Why (optional)"
          maxLength={10_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
      )}
      <div className="exs-acts" role="status">
        <Button
          variant="default"
          onClick={close}
          disabled={isBusy}
          data-autofocus={act === 'terminate' ? undefined : true}
        >
          {isOver ? 'Close' : 'Cancel'}
        </Button>
        {left.length > 0 && (
          <Button color={act === 'terminate' ? 'red.9' : undefined} loading={isBusy} onClick={() => void run()}>
            {isOver ? `Try ${left.length} again` : `${word} ${left.length}`}
          </Button>
        )}
      </div>
    </Modal>
  );
}

function what(line: ExecutionLine, act: Act, results: readonly Result[], preview: string | undefined) {
  const result = results.find((each) => each.line.id === line.id);
  if (result)
    return result.error ? <span className="bad">{result.error}</span> : <span className="ok">{WORDS[act].done}</span>;
  if (!canAct(act, line)) return <span className="dim">{line.damaged ? 'damaged' : 'left out: nothing to do'}</span>;
  return preview;
}

/** What a recovery of each would keep, run and ask. */
function usePreviews(act: Act, lines: readonly ExecutionLine[]): ReadonlyMap<string, string> {
  const found = useQueries({
    queries: lines.map(({ id }) => ({
      ...recoveryQuery(id),
      enabled: act === 'recover',
    })),
  });
  return new Map(
    lines.flatMap(({ id }, index) => {
      const query = found[index];
      if (query?.data) return [[id, told(query.data)] as const];
      return query?.error ? [[id, query.error.message] as const] : [];
    }),
  );
}

export function told({ nodes, same_code }: RecoveryView): string {
  const of = (becomes: string) => nodes.filter((each) => each.becomes === becomes).length;
  const parts = [
    of('kept') + of('compared') > 0 && `${of('kept') + of('compared')} kept`,
    of('runs') > 0 && `${of('runs')} ${of('runs') === 1 ? 'runs' : 'run'}`,
    of('asked') > 0 && `${of('asked')} asked again`,
    !same_code && 'with newer code',
  ];
  return parts.filter(Boolean).join(', ');
}
