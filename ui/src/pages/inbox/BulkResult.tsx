import { Anchor, Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { entryKey, taskId } from '../../api/queries';
import { sessionQuery } from '../../api/session';
import { IconAlert, IconCheck, IconDownload } from '../../app/icons';
import { useIsPhone } from '../../app/phone';
import { csvOf, isWaiting, reason, undecidedFirst, type Outcome } from './bulk';
import { columnsOf, figureWords, isNumber } from './figures';
import './bulk.css';

type Props = {
  outcomes: Outcome[];
  value: boolean;
  isSending: boolean;
  onAgain: (outcomes: Outcome[]) => void;
  onOpen: (id: string) => void;
  onClose: () => void;
};

/** What has become of each: those that are not decided first, with the reason. */
export function BulkResult({ outcomes, value, isSending, onAgain, onOpen, onClose }: Props) {
  const isPhone = useIsPhone();
  const done = value ? 'approved' : 'rejected';
  const taken = outcomes.filter((each) => each.state === 'taken');
  const waiting = outcomes.filter(isWaiting);
  const lost = outcomes.filter((each) => each.state === 'unknown' || each.state === 'unsent');
  const [first] = waiting;
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1080px, 100%)"
      fullScreen={isPhone}
      padding={0}
      classNames={{ content: 'look', header: 'look-head', body: 'look-body' }}
      title={`${taken.length} of ${outcomes.length} ${done}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <p className="look-about dim small" role="status">
        {summary(outcomes)}
      </p>
      <div className="look-rows" tabIndex={0} role="group" aria-label="Results">
        <ResultTable outcomes={undecidedFirst(outcomes)} done={done} onOpen={onOpen} />
      </div>
      <div className="look-foot">
        <Button variant="subtle" leftSection={<IconDownload size={16} />} onClick={() => save(csvOf(outcomes))}>
          Save result as CSV
        </Button>
        <span className="fill" />
        {lost.length > 0 && (
          <Button variant="default" loading={isSending} onClick={() => onAgain(lost)}>
            Send {lost.length} again
          </Button>
        )}
        {first && (
          <Button variant="default" onClick={() => onOpen(taskId(first.view))}>
            Open {(first.view.title || first.view.name).slice(0, 40)}
          </Button>
        )}
        <Button onClick={onClose} data-autofocus>
          Back to inbox
        </Button>
      </div>
    </Modal>
  );
}

function summary(outcomes: readonly Outcome[]): string {
  const of = (state: Outcome['state']) => outcomes.filter((each) => each.state === state).length;
  const waiting = outcomes.filter(isWaiting).length;
  return [
    of('refused') > 0 && `${of('refused')} refused, for the reasons below.`,
    of('unknown') > 0 && `${of('unknown')} were sent and no reply came: sending them again is safe, each counts once.`,
    of('unsent') > 0 && `${of('unsent')} were not sent.`,
    waiting > 0 &&
      `${waiting === 1 ? 'The one that still waits stays' : `The ${waiting} that may still wait stay`} selected.`,
    of('taken') === outcomes.length && 'All are recorded.',
  ]
    .filter(Boolean)
    .join(' ');
}

function ResultTable({ outcomes, done, onOpen }: { outcomes: Outcome[]; done: string; onOpen: (id: string) => void }) {
  const me = useQuery(sessionQuery).data?.name ?? '';
  const columns = columnsOf(outcomes.map((each) => each.view)).slice(0, 3);
  return (
    <table className="look-table">
      <thead>
        <tr>
          <th>Title</th>
          {columns.map((name) => (
            <th key={name} className={outcomes.every(({ view }) => isNumber(view.figures[name])) ? 'num' : undefined}>
              {name}
            </th>
          ))}
          <th>Result</th>
        </tr>
      </thead>
      <tbody>
        {outcomes.map((each) => {
          const { view, state } = each;
          return (
            <tr
              key={entryKey(view)}
              className={`result-${state === 'taken' ? 'taken' : isWaiting(each) ? 'open' : 'over'}`}
            >
              <td className="look-title" dir="auto" title={view.execution}>
                {view.title || view.name}
              </td>
              {columns.map((name) => (
                <td key={name} className={isNumber(view.figures[name]) ? 'num' : undefined} data-name={name} dir="auto">
                  {view.figures[name] === undefined ? '' : figureWords(view.figures[name])}
                </td>
              ))}
              <td className="result-why">
                {state === 'taken' ? (
                  <span className="ok">
                    <IconCheck size={16} /> {done[0]?.toUpperCase()}
                    {done.slice(1)}
                  </span>
                ) : (
                  <span>
                    <IconAlert size={16} /> {reason(each, me)}{' '}
                    {isWaiting(each) && (
                      <Anchor
                        component="button"
                        type="button"
                        fz="sm"
                        underline="always"
                        onClick={() => onOpen(taskId(view))}
                      >
                        Open
                      </Anchor>
                    )}
                  </span>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function save(csv: string): void {
  const url = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'decisions.csv';
  link.click();
  URL.revokeObjectURL(url);
}
