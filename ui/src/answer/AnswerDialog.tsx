import { Badge, Button, Group, Loader, Modal, Stack, Switch, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { taskId } from '../api/queries';
import { say } from '../app/notice';
import { QueryError } from '../app/PageError';
import { expected } from '../show/expects';
import { Ago } from '../show/time';
import './answer.css';
import { Closed } from './Closed';
import { nextAfter, useOpensNext } from './order';
import { Question } from './Question';
import { useTask, type Task } from './useTask';

/** The dialog in which a request is answered, over whatever page is open. `task` is `<execution>:<path>`. */
export function AnswerDialog({ task }: { task: string }) {
  const navigate = useNavigate();
  const inInbox = useLocation().pathname === '/';
  const isPhone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [opensNext, setOpensNext] = useOpensNext();
  const found = useTask(task);
  const [first] = useState(task);
  useFocusBack();

  const go = (next: string | undefined) =>
    void navigate({
      to: '.',
      search: ({ task: _, ...rest }) => (next === undefined ? rest : { ...rest, task: next }),
      replace: true,
    });
  // A link may call a request by its name, the list calls it by its handle.
  const next = inInbox ? nextAfter('view' in found ? taskId(found.view) : task) : undefined;
  const onSent = (what: string) => {
    const following = opensNext ? next : undefined;
    say(`${what} The workflow continues.${following ? ' This is the next request.' : ''}`);
    go(following);
  };
  return (
    <Modal
      opened
      onClose={() => go(undefined)}
      size={760}
      fullScreen={isPhone}
      title={<Heading task={found} />}
      closeButtonProps={{ 'aria-label': 'Close' }}
      classNames={{ body: 'answer-body', content: 'answer', title: 'answer-title' }}
      transitionProps={{ duration: 0 }}
    >
      <Body key={task} task={found} follows={task !== first} next={next} onNext={() => go(next)} onSent={onSent} />
      {inInbox && (
        <Switch
          className="answer-next"
          size="xs"
          label="Open the next request after an answer"
          checked={opensNext}
          onChange={(event) => setOpensNext(event.currentTarget.checked)}
        />
      )}
    </Modal>
  );
}

/** When the dialog closes, what had the focus has it again, if it is still there. */
function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // After the dialog has let go of it.
      window.setTimeout(() => {
        if (before instanceof HTMLElement && before.isConnected) before.focus();
      });
    },
    [before],
  );
}

function Heading({ task }: { task: Task }) {
  if (!('view' in task))
    return (
      <Text span fw={650}>
        Request
      </Text>
    );
  const { title, name } = task.view;
  return (
    <>
      <span className="answer-name">{title || name}</span>{' '}
      <Badge variant="default" size="lg" className="expects">
        {expected(task.view)}
      </Badge>
    </>
  );
}

type BodyProps = {
  task: Task;
  follows: boolean;
  next: string | undefined;
  onNext: () => void;
  onSent: (what: string) => void;
};

function Body({ task, follows, next, onNext, onSent }: BodyProps) {
  switch (task.state) {
    case 'loading':
      return (
        <Group justify="center" p="xl" tabIndex={-1} data-autofocus>
          <Loader aria-label="Loading" />
        </Group>
      );
    case 'failed':
      return <QueryError error={task.error} retry={task.retry} what="The request" />;
    case 'unknown':
      return (
        <Stack align="flex-start">
          <Text>
            There is no request <code>{task.path}</code> in the execution <code>{task.execution}</code>. The address may
            be incomplete, or the request belongs to another server.
          </Text>
          {next !== undefined && <Button onClick={onNext}>Next request</Button>}
        </Stack>
      );
    default:
      return (
        <Stack gap="md">
          <From task={task} />
          {task.state === 'closed' && (
            <Closed ending={task.ending} due={task.view.due} onNext={next === undefined ? undefined : onNext} />
          )}
          <Question
            key={task.view.node}
            view={task.view}
            state={task.state}
            hindrance={task.state === 'open' ? task.hindrance : undefined}
            follows={follows}
            onSent={onSent}
          />
        </Stack>
      );
  }
}

function From({ task }: { task: Extract<Task, { view: unknown }> }) {
  const { view } = task;
  return (
    <Text size="sm" c="dimmed" className="answer-from">
      {view.workflow && <>{view.workflow} · </>}
      <Link className="link" to="/executions/$id" params={{ id: view.execution }}>
        {view.execution}
      </Link>
      {view.opened && (
        <>
          {' '}
          · asked <Ago at={view.opened} />
        </>
      )}
    </Text>
  );
}
