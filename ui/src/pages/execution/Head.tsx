import { ActionIcon, Button, CopyButton, Group, Menu, Stack, Text, Title, Tooltip } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useRights } from '../../api/rights';
import type { ExecutionView, NodeView } from '../../api/types';
import { IconCheck, IconCopy, IconLink, IconRefresh } from '../../app/icons';
import { useConnection } from '../../app/connection';
import { asksPeople, ENDED, executionAppearance, PhaseBadge } from '../../graph/phases';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { LinkAnchor } from '../links';
import { NeedsRole } from '../NeedsRole';
import { WorkflowName } from '../WorkflowName';
import { useAgain, useTerminate } from './actions';
import { useRecover } from './recover';
import { Took } from './Took';

const OVER = new Set(['SUCCEEDED', 'FAILED', 'ABORTED']);

/** What an execution is, how it stands, and what can be done with it. */
export function Head({ execution }: { execution: ExecutionView }) {
  const isOver = OVER.has(execution.phase);
  const people = execution.nodes.filter((each) => each.phase === 'WAITING' && asksPeople(each)).length;
  const { since } = useConnection();
  const again = useAgain(execution.id);
  const { operate } = useRights(execution);
  const navigate = useNavigate();
  const terminate = useTerminate(execution.id, execution.workflow);
  const recover = useRecover(execution.id, () => again.mutate('recover'));
  return (
    <Group justify="space-between" align="flex-start" gap="sm" className="ex-top">
      <Stack gap={4} className="ex-head">
        <Group gap="sm">
          <Title order={1} size="h3" className="ex-wrap">
            <WorkflowName name={execution.workflow} />
          </Title>
          <PhaseBadge
            phase={
              execution.damaged ? execution.phase : executionAppearance(execution.phase, people, execution.error?.code)
            }
          />
          {execution.damaged && <DamagedBadge />}
        </Group>
        <Group gap="4px 18px" c="dimmed" fz="sm" className="ex-facts">
          <span>
            <code className="ex-wrap">{execution.id}</code>
            <CopyButton value={execution.id}>
              {({ copied, copy }) => (
                <Tooltip label={copied ? 'Copied' : 'Copy the id'}>
                  <ActionIcon variant="subtle" color="gray" size={24} ml={4} aria-label="Copy the id" onClick={copy}>
                    {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
                  </ActionIcon>
                </Tooltip>
              )}
            </CopyButton>
          </span>
          <span>
            launched{' '}
            <b>
              <Ago at={execution.launched} />
            </b>{' '}
            by <b>{execution.who}</b>
          </span>
          <span>
            {isOver ? 'took' : 'for'}{' '}
            <b>
              <Took from={execution.launched} to={isOver ? execution.changed : null} />
            </b>
          </span>
          <LinkAnchor
            to="/workflows/$name"
            params={{ name: execution.workflow }}
            search={{ version: execution.version }}
            fz="sm"
          >
            version {execution.version.slice(0, 12)}
          </LinkAnchor>
          <Progress nodes={execution.nodes} isOver={isOver} />
          {execution.successor && (
            <LinkAnchor to="/executions/$id" params={{ id: execution.successor }} fz="sm">
              recovered by {execution.successor}
            </LinkAnchor>
          )}
          {execution.origin && (
            <LinkAnchor to="/executions/$id" params={{ id: execution.origin }} fz="sm">
              from {execution.origin}
            </LinkAnchor>
          )}
        </Group>
        {again.error && (
          <Text role="alert" c="var(--mantine-color-error)" fz="sm">
            {again.error.message}
          </Text>
        )}
      </Stack>
      <Group gap={8} className="ex-actions">
        {!operate && (
          <NeedsRole to={isOver ? 'recover or relaunch it' : 'relaunch or terminate it'} place={execution} />
        )}
        {operate && isOver && execution.phase !== 'SUCCEEDED' && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={15} />}
            onClick={recover.open}
            loading={again.isPending && again.variables === 'recover'}
            disabled={since !== undefined}
          >
            Recover…
          </Button>
        )}
        {operate && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button
                variant="default"
                leftSection={<IconRefresh size={15} />}
                loading={again.isPending && again.variables === 'relaunch'}
                disabled={since !== undefined}
              >
                Relaunch…
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => again.mutate('relaunch')}>Relaunch with the same inputs</Menu.Item>
              <Menu.Item
                onClick={() =>
                  void navigate({
                    to: '/workflows/$name',
                    params: { name: execution.workflow },
                    search: { version: execution.version, again: execution.id },
                  })
                }
              >
                Relaunch with other inputs…
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        <CopyButton value={location.href}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              leftSection={copied ? <IconCheck size={15} /> : <IconLink size={15} />}
              aria-label="Copy the link"
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy link'}
            </Button>
          )}
        </CopyButton>
        {operate && !isOver && (
          <Button
            variant="outline"
            color="red"
            className="ex-danger"
            onClick={terminate.open}
            disabled={since !== undefined}
          >
            Terminate…
          </Button>
        )}
      </Group>
      {terminate.dialog}
      {recover.dialog}
    </Group>
  );
}

/** How many nodes have ended, wait for people, and are still to come. */
function Progress({ nodes, isOver }: { nodes: readonly NodeView[]; isOver: boolean }) {
  if (nodes.length === 0) return null;
  const ended = nodes.filter(({ phase }) => ENDED.has(phase)).length;
  const waiting = nodes.filter((each) => each.phase === 'WAITING' && asksPeople(each)).length;
  const left = nodes.filter(({ phase }) => phase === 'QUEUED').length;
  return (
    <span>
      <b>
        {ended.toLocaleString()} {ended === 1 ? 'node' : 'nodes'}
      </b>{' '}
      ended
      {!isOver && waiting > 0 && `, ${waiting.toLocaleString()} waiting`}
      {!isOver && left > 0 && `, ${left.toLocaleString()} to come`}
    </span>
  );
}
