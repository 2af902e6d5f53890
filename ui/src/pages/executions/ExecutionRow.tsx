import { ActionIcon, Checkbox, Menu, Text } from '@mantine/core';
import { memo } from 'react';
import { useRights } from '../../api/rights';
import type { EndView, ExecutionLine } from '../../api/types';
import { ENDED, PhaseBadge } from '../../graph/phases';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { useAgain, useTerminate } from '../execution/actions';
import { useRecover } from '../execution/recover';
import { Took } from '../execution/Took';
import { LinkAnchor } from '../links';
import { WorkflowName } from '../WorkflowName';
import { failureOf, lookOf } from './states';

const SHOWN = 2;

type Props = {
  line: ExecutionLine;
  isSelected: boolean;
  onToggle: (line: ExecutionLine) => void;
};

/** One execution: what it is, how it stands, and why, or what it waits for. Redrawn only when it has changed. */
export const ExecutionRow = memo(function ExecutionRow({ line, isSelected, onToggle }: Props) {
  const isOver = ENDED.has(line.phase);
  const { operate } = useRights(line);
  return (
    <tr data-execution={line.id} data-phase={line.phase} className={isSelected ? 'exs-selected' : undefined}>
      <td className="exs-pick">
        {operate && (
          <Checkbox
            size="sm"
            aria-label={`Select ${line.workflow} ${line.id}`}
            checked={isSelected}
            onChange={() => onToggle(line)}
          />
        )}
      </td>
      <td className="exs-what">
        <LinkAnchor to="/executions/$id" params={{ id: line.id }} fz="sm" fw={550} c="var(--text)">
          <WorkflowName name={line.workflow} />
        </LinkAnchor>{' '}
        <span className="exs-id">{line.id}</span>
      </td>
      <td className="exs-state">
        <PhaseBadge phase={lookOf(line)} />
        {line.damaged && (
          <>
            {' '}
            <DamagedBadge />
          </>
        )}
      </td>
      <td className="exs-why">
        <Why line={line} />
      </td>
      <td className="exs-when">
        <Ago at={line.launched} />, {line.who}
      </td>
      <td className="exs-took">
        <Took from={line.launched} to={isOver ? line.changed : null} />
      </td>
      <td className="exs-more">{operate && <Actions line={line} isOver={isOver} />}</td>
    </tr>
  );
});

function Why({ line }: { line: ExecutionLine }) {
  if (line.damaged) return <span className="bad">{line.damaged}</span>;
  if (line.end) return <Ended end={line.end} />;
  return (
    <>
      {line.held && <span className="soon">{line.held} </span>}
      <Waits line={line} />
    </>
  );
}

/** Who ended it, or what: the exception, its task, and the first line of what it says. */
function Ended({ end }: { end: EndView }) {
  const { kind, message, who, name } = end;
  const said = message && (
    <span dir="auto">
      {who && ': '}“{message}”
    </span>
  );
  switch (kind) {
    case 'rejected':
      return (
        <>
          {who || 'The timeout'} rejected <b>{name}</b>
          {said}
        </>
      );
    case 'timed_out':
      return (
        <>
          No answer to <b>{name}</b> in time
        </>
      );
    case 'aborted':
      return (
        <>
          By {who}
          {said}
        </>
      );
    default: {
      const { error, text } = failureOf(message);
      return (
        <span title={message} dir="auto">
          {error && <b className="bad">{error}</b>}
          {name && (
            <>
              {' '}
              in <code>{name}</code>
            </>
          )}
          {(error || name) && text && ': '}
          {text}
        </span>
      );
    }
  }
}

/** Links to what is asked. Two gates of one name are told apart on the page of their execution. */
function Waits({ line }: { line: ExecutionLine }) {
  const names = [...new Set(line.waiting)];
  const { answer } = useRights(line);
  const many = line.waiting.length;
  return (
    <>
      {names.slice(0, SHOWN).map((name, index) => {
        const isOne = line.waiting.filter((each) => each === name).length === 1;
        return (
          <span key={name}>
            {index > 0 && ', '}
            {isOne ? (
              <LinkAnchor
                to="/executions"
                search={(now) => ({ ...now, task: `${line.id}:${name}` })}
                fz="sm"
                fw={600}
                aria-label={`${answer ? 'Answer' : 'Open'} ${name}`}
              >
                {name}
              </LinkAnchor>
            ) : (
              <LinkAnchor to="/executions/$id" params={{ id: line.id }} fz="sm" fw={600}>
                {line.waiting.filter((each) => each === name).length} × {name}
              </LinkAnchor>
            )}
          </span>
        );
      })}
      {names.length > SHOWN && (
        <>
          {', '}
          <LinkAnchor to="/executions/$id" params={{ id: line.id }} fz="sm">
            {many - SHOWN} more
          </LinkAnchor>
        </>
      )}
    </>
  );
}

function Actions({ line, isOver }: { line: ExecutionLine; isOver: boolean }) {
  const again = useAgain(line.id);
  const terminate = useTerminate(line.id, line.workflow);
  const recover = useRecover(line.id, () => again.mutate('recover'));
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            className="exs-dots"
            size={28}
            aria-label={`Actions for ${line.workflow} ${line.id}`}
            loading={again.isPending}
          >
            ⋯
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => again.mutate('relaunch')}>Relaunch</Menu.Item>
          {isOver && line.phase !== 'SUCCEEDED' && <Menu.Item onClick={recover.open}>Recover…</Menu.Item>}
          {!isOver && (
            <Menu.Item c="var(--bad)" onClick={terminate.open}>
              Terminate…
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {again.error && (
        <Text role="alert" fz="xs" c="var(--mantine-color-error)">
          {again.error.message}
        </Text>
      )}
      {terminate.dialog}
      {recover.dialog}
    </>
  );
}
