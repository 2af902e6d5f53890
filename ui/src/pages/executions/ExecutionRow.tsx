import { ActionIcon, Group, Menu, Progress, Table, Text } from '@mantine/core';
import { useIntersection } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { memo } from 'react';
import { executionQuery, taskId } from '../../api/queries';
import type { ExecutionLine, NodeView, WaitingView } from '../../api/types';
import { IconHand } from '../../app/icons';
import { asksPeople, ENDED, executionAppearance, PhaseBadge } from '../../graph/phases';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { LinkAnchor, LinkButton } from '../links';
import { WorkflowName } from '../WorkflowName';
import { useAgain, useTerminate } from '../execution/actions';
import { useRecover } from '../execution/recover';
import { Took } from '../execution/Took';

const SHOWN = 2;

/** One execution in the list, redrawn only when it has changed. Its progress is requested only while it is visible. */
export const ExecutionRow = memo(function ExecutionRow({ line }: { line: ExecutionLine }) {
  const isOver = ENDED.has(line.phase);
  const { ref, entry } = useIntersection<HTMLTableRowElement>({ rootMargin: '50px' });
  const { data } = useQuery({
    ...executionQuery(line.id),
    enabled: !isOver && !line.damaged && (entry?.isIntersecting ?? false),
  });
  return (
    <Table.Tr ref={ref} data-execution={line.id} data-phase={line.phase}>
      <Table.Td className="exs-what">
        <LinkAnchor to="/executions/$id" params={{ id: line.id }} fw={600}>
          <WorkflowName name={line.workflow} />
        </LinkAnchor>
        <Text fz="xs" c="dimmed" ff="monospace">
          {line.id}
        </Text>
      </Table.Td>
      <Table.Td>
        <PhaseBadge phase={executionAppearance(line.phase, line.waiting.length)} />
        {line.damaged && (
          <>
            {' '}
            <DamagedBadge />
          </>
        )}
      </Table.Td>
      <Table.Td className="exs-waits">
        {line.damaged ? (
          <Text fz="sm" className="exs-damaged">
            {line.damaged}
          </Text>
        ) : (
          <Waits line={line} asked={data?.waiting.filter(asksPeople)} />
        )}
      </Table.Td>
      <Table.Td className="exs-progress">{!isOver && !line.damaged && <Done nodes={data?.nodes ?? []} />}</Table.Td>
      <Table.Td className="exs-when">
        <Ago at={line.launched} /> <span className="dim">by {line.who}</span>
      </Table.Td>
      <Table.Td className="exs-took">
        <Took from={line.launched} to={isOver ? line.changed : null} />
      </Table.Td>
      <Table.Td className="exs-more">
        <Actions line={line} isOver={isOver} />
      </Table.Td>
    </Table.Tr>
  );
});

/** Links straight to what is asked: by its path as soon as that is known, for two may have one name. */
function Waits({ line, asked }: { line: ExecutionLine; asked: WaitingView[] | undefined }) {
  if (line.waiting.length === 0) return null;
  const links =
    asked?.map((each) => ({ key: each.node, path: each.path, task: taskId(each) })) ??
    line.waiting.map((name) => ({ key: name, path: name, task: `${line.id}:${name}` }));
  return (
    <Group gap={6}>
      {links.slice(0, SHOWN).map(({ key, path, task }) => (
        <LinkButton
          key={key}
          to="/executions"
          search={(now) => ({ ...now, task })}
          size="compact-sm"
          variant="default"
          leftSection={<IconHand size={14} />}
          aria-label={`Answer ${path}`}
        >
          {path}
        </LinkButton>
      ))}
      {links.length > SHOWN && (
        <LinkAnchor to="/executions/$id" params={{ id: line.id }} fz="sm">
          {links.length - SHOWN} more
        </LinkAnchor>
      )}
    </Group>
  );
}

function Done({ nodes }: { nodes: readonly NodeView[] }) {
  const ended = nodes.filter((each) => ENDED.has(each.phase)).length;
  return (
    <div className="exs-done">
      {nodes.length > 0 && (
        <>
          <Progress value={(100 * ended) / nodes.length} size="sm" aria-hidden />
          <span>
            {ended} of {nodes.length}
          </span>
        </>
      )}
    </div>
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
            color="gray"
            className="exs-dots"
            size={32}
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
            <Menu.Item color="red.9" onClick={terminate.open}>
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
