import { ActionIcon, Button, CopyButton, Group, Menu, Stack, Text, Title, Tooltip } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ExecutionView } from '../../api/types';
import { IconCheck, IconLink, IconRefresh } from '../../app/icons';
import { useConnection } from '../../app/connection';
import { asksPeople, executionAppearance, PhaseBadge } from '../../graph/phases';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { LinkAnchor } from '../links';
import { WorkflowName } from '../WorkflowName';
import { useAgain, useTerminate } from './actions';
import { useRecover } from './recover';
import { Took } from './Took';

const OVER = new Set(['SUCCEEDED', 'FAILED', 'ABORTED']);

/** What an execution is, how it stands, and what can be done with it. */
export function Head({ execution }: { execution: ExecutionView }) {
  const isOver = OVER.has(execution.phase);
  const people = execution.waiting.filter(asksPeople).length;
  const { since } = useConnection();
  const again = useAgain(execution.id);
  const navigate = useNavigate();
  const terminate = useTerminate(execution.id, execution.workflow);
  const recover = useRecover(execution.id, () => again.mutate('recover'));
  return (
    <Group justify="space-between" align="flex-start" gap="sm">
      <Stack gap={4} className="ex-head">
        <Group gap="sm">
          <Title order={1} size="h2" className="ex-wrap">
            <WorkflowName name={execution.workflow} />
          </Title>
          <PhaseBadge phase={execution.damaged ? execution.phase : executionAppearance(execution.phase, people)} />
          {execution.damaged && <DamagedBadge />}
        </Group>
        <Group gap="xs" c="dimmed" fz="sm">
          <code>{execution.id}</code>
          <span>
            launched <Ago at={execution.launched} /> by {execution.who}
          </span>
          <span>
            {isOver ? 'took' : 'for'} <Took from={execution.launched} to={isOver ? execution.changed : null} />
          </span>
          <LinkAnchor
            to="/workflows/$name"
            params={{ name: execution.workflow }}
            search={{ version: execution.version }}
            fz="sm"
          >
            version {execution.version.slice(0, 12)}
          </LinkAnchor>
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
      <Group gap="xs">
        <CopyButton value={location.href}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? 'Copied' : 'Copy the link'}>
              <ActionIcon variant="default" size={34} aria-label="Copy the link" onClick={copy}>
                {copied ? <IconCheck /> : <IconLink />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              variant="default"
              leftSection={<IconRefresh size={16} />}
              loading={again.isPending}
              disabled={since !== undefined}
            >
              Run again
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {isOver && execution.phase !== 'SUCCEEDED' && (
              <Menu.Item onClick={recover.open}>
                Recover…
                <Text fz="xs" c="dimmed">
                  Keep what has succeeded, and the answers
                </Text>
              </Menu.Item>
            )}
            <Menu.Item onClick={() => again.mutate('relaunch')}>
              Relaunch
              <Text fz="xs" c="dimmed">
                Start again with the same inputs
              </Text>
            </Menu.Item>
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
              <Text fz="xs" c="dimmed">
                Start again with inputs that you change
              </Text>
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
        {!isOver && (
          <Button
            variant="outline"
            color="red"
            className="ex-danger"
            onClick={terminate.open}
            disabled={since !== undefined}
          >
            Terminate
          </Button>
        )}
      </Group>
      {terminate.dialog}
      {recover.dialog}
    </Group>
  );
}
