import { Alert } from '@mantine/core';
import type { ExecutionView } from '../../api/types';
import { IconAlert } from '../../app/icons';

/** What keeps tasks of an execution from starting, once each, and what is different where it goes on. The sentences are the server's. */
export function Notices({ execution }: { execution: ExecutionView }) {
  const held = new Set(
    execution.nodes.flatMap((each) => (each.held && each.phase === 'QUEUED' ? [each.held.message] : [])),
  );
  return (
    <>
      {[...held].map((sentence) => (
        <Alert
          key={sentence}
          color="yellow"
          variant="outline"
          role="status"
          icon={<IconAlert />}
          title="A task is held"
        >
          {sentence}
        </Alert>
      ))}
      {execution.differs && (
        <Alert
          color="yellow"
          variant="outline"
          role="status"
          icon={<IconAlert />}
          title="The environment differs from the launch"
        >
          {execution.differs}
        </Alert>
      )}
    </>
  );
}
