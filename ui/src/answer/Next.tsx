/** Where to go after a decision: back, or to the next question, which is offered and never opened by itself. */
import { Button, Kbd } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { parseTaskId, rowOf, taskId } from '../api/queries';
import { useKeys } from '../app/keys';
import { brief } from '../show/brief';
import { TimeLeft } from '../show/time';
import { IconApproval, IconForm } from './icons';
import { following } from './order';
import { titleOf, type Asked } from './view';

/** `back` says where back is. */
export type Ways = { back: 'inbox' | 'page' | 'execution'; onBack: () => void; onGo: (task: string) => void };

const BACK: Record<Ways['back'], string> = {
  inbox: 'Back to inbox',
  page: 'Back',
  execution: 'Go to the execution',
};

export function Next({ view, ways }: { view: Asked; ways: Ways }) {
  const { back, onBack, onGo } = ways;
  const queries = useQueryClient();
  const found = following(taskId(view));
  const id = found && parseTaskId(found.next);
  const row = id && rowOf(queries, id.execution, id.path);
  const go = () => found && onGo(found.next);
  useKeys({ n: go }, found !== undefined);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div className="an-next" onKeyDownCapture={ignoreHeld}>
      {found && (
        <>
          <p className="dim small">Next, {found.left.toLocaleString()} left in this list</p>
          <div className="an-next-card">
            <span className="soon">
              {row?.kind === 'approve' ? <IconApproval size={16} /> : <IconForm size={16} />}
            </span>
            <div className="an-next-what">
              <b dir="auto">{row ? titleOf(row) : id?.path}</b>
              <div className="dim small num ell">{row ? figuresOf(row) || row.workflow : id?.execution}</div>
            </div>
            {row?.due && (
              <span className="an-next-due">
                <TimeLeft due={row.due} />
              </span>
            )}
            <Button
              size="xs"
              onClick={go}
              rightSection={
                <Kbd size="xs" aria-hidden>
                  N
                </Kbd>
              }
            >
              Open next
            </Button>
          </div>
        </>
      )}
      <div className="an-next-ways">
        <Button
          ref={button}
          data-autofocus
          variant="default"
          onClick={onBack}
          rightSection={
            back !== 'execution' && (
              <Kbd size="xs" aria-hidden>
                Esc
              </Kbd>
            )
          }
        >
          {BACK[back]}
        </Button>
        {back === 'inbox' && (
          <Link className="link" to="/executions/$id" params={{ id: view.execution }}>
            Watch the execution
          </Link>
        )}
      </div>
    </div>
  );
}

/** The Enter that has decided may still be held down. */
function ignoreHeld(event: React.KeyboardEvent): void {
  if (event.key === 'Enter' && event.repeat) event.preventDefault();
}

function figuresOf({ figures }: Asked): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${brief(value, 24)}`)
    .join(' · ');
}
