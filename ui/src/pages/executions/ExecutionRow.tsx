import { ActionIcon, Group, Menu, Progress, Table, Text } from '@mantine/core';
import { useIntersection, useMergedRef } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { executionQuery, taskId } from '../../api/queries';
import type { ExecutionLine } from '../../api/types';
import { IconHand } from '../../app/icons';
import { ENDED, executionAppearance, PhaseBadge } from '../../graph/phases';
import { Ago } from '../../show/time';
import { LinkAnchor, LinkButton } from '../links';
import { useAgain, useTerminate } from '../execution/actions';
import { Took } from '../execution/Took';

const SHOWN = 2;

/** One execution in the list. */
export function ExecutionRow({ line }: { line: ExecutionLine }) {
  const isOver = ENDED.has(line.phase);
  return (
    <Table.Tr data-execution={line.id} data-phase={line.phase}>
      <Table.Td className="exs-what">
        <LinkAnchor to="/executions/$id" params={{ id: line.id }} fw={600}>{line.workflow}</LinkAnchor>
        <Text fz="xs" c="dimmed" ff="monospace">{line.id}</Text>
      </Table.Td>
      <Table.Td><PhaseBadge phase={executionAppearance(line.phase, line.waiting.length)} /></Table.Td>
      <Table.Td className="exs-waits"><Waits line={line} /></Table.Td>
      <Table.Td className="exs-progress">{!isOver && <Done id={line.id} />}</Table.Td>
      <Table.Td className="exs-when"><Ago at={line.launched} /> <span className="dim">by {line.who}</span></Table.Td>
      <Table.Td className="exs-took"><Took from={line.launched} to={isOver ? line.changed : null} /></Table.Td>
      <Table.Td className="exs-more"><Actions line={line} isOver={isOver} /></Table.Td>
    </Table.Tr>
  );
}

function Waits({ line }: { line: ExecutionLine }) {
  if (line.waiting.length === 0) return null;
  return (
    <Group gap={6}>
      {line.waiting.slice(0, SHOWN).map((name, index) => (
        <LinkButton key={`${name} ${index}`} to="/executions" search={(now) => ({ ...now, task: taskId({ execution: line.id, path: name }) })} size="compact-sm" variant="default" leftSection={<IconHand size={14} />} aria-label={`Answer ${name}`}>{name}</LinkButton>
      ))}
      {line.waiting.length > SHOWN && <LinkAnchor to="/executions/$id" params={{ id: line.id }} fz="sm">{line.waiting.length - SHOWN} more</LinkAnchor>}
    </Group>
  );
}

/** How much has ended: asked for only where somebody looks. */
function Done({ id }: { id: string }) {
  const own = useRef<HTMLDivElement>(null);
  const { ref, entry } = useIntersection({ rootMargin: '50px' });
  const { data } = useQuery({ ...executionQuery(id), enabled: entry?.isIntersecting ?? false });
  const nodes = data?.nodes ?? [];
  const ended = nodes.filter((each) => ENDED.has(each.phase)).length;
  return (
    <div ref={useMergedRef(own, ref)} className="exs-done">
      {nodes.length > 0 && <><Progress value={(100 * ended) / nodes.length} size="sm" aria-hidden /><span>{ended} of {nodes.length}</span></>}
    </div>
  );
}

function Actions({ line, isOver }: { line: ExecutionLine; isOver: boolean }) {
  const again = useAgain(line.id);
  const terminate = useTerminate(line.id, line.workflow);
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target><ActionIcon variant="subtle" color="gray" className="exs-dots" size={32} aria-label={`Actions for ${line.workflow} ${line.id}`} loading={again.isPending}>⋯</ActionIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => again.mutate('relaunch')}>Relaunch</Menu.Item>
          {isOver && line.phase !== 'SUCCEEDED' && <Menu.Item onClick={() => again.mutate('recover')}>Recover</Menu.Item>}
          {!isOver && <Menu.Item color="red.9" onClick={terminate.open}>Terminate…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {again.error && <Text role="alert" fz="xs" c="var(--mantine-color-error)">{again.error.message}</Text>}
      {terminate.dialog}
    </>
  );
}
