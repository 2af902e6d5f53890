import { Anchor, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { entryKey, parseTaskId, questionQuery, taskId } from '../api/queries';
import { useKeys } from '../app/keys';
import { useIsPhone } from '../app/phone';
import { QueryError } from '../app/PageError';
import './answer.css';
import './result.css';
import './rail.css';
import { Head } from './Head';
import type { Ways } from './Next';
import { placeOf } from './order';
import { Question } from './Question';
import { isOnTop } from './top';
import { useTask, type Task } from './useTask';

/** The dialog in which a question is answered, over whatever page is open. `task` is `<execution>:<handle>`; a path or a name is replaced by it. */
export function AnswerDialog({ task }: { task: string }) {
  const navigate = useNavigate();
  const { pathname, state } = useLocation();
  // The first page of this tab: somebody has followed a link, and no list is waiting behind it.
  const [isLink] = useState(() => state.__TSR_index === 0);
  const isPhone = useIsPhone();
  const found = useTask(task);
  const title = useRef<HTMLHeadingElement>(null);
  useFocusBack();

  const go = (next: string | undefined) =>
    void navigate({
      to: '.',
      search: ({ task: _, ...rest }) => (next === undefined ? rest : { ...rest, task: next }),
      replace: true,
    });
  const close = () => go(undefined);
  const known = 'view' in found ? found.view : undefined;
  const id = known ? taskId(known) : task;
  useBinding(task, known?.handle ? id : undefined, go);
  const place = placeOf(id);
  useDialogKeys(close, place?.previous, place?.next, go);

  const toExecution = () =>
    void navigate({ to: '/executions/$id', params: { id: parseTaskId(task).execution }, search: {} });
  const ways: Ways = isLink
    ? { back: 'execution', onBack: toExecution, onGo: go }
    : { back: pathname === '/' ? 'inbox' : 'page', onBack: close, onGo: go };
  const head = { place, onGo: go, onClose: close };
  return (
    <Modal.Root
      opened
      onClose={close}
      closeOnEscape={false}
      fullScreen={isPhone}
      returnFocus={false}
      transitionProps={{ duration: 0 }}
      padding={0}
      classNames={{ content: 'answer', inner: 'answer-inner' }}
    >
      <Modal.Overlay />
      <Modal.Content radius={isPhone ? 0 : 12}>
        {'view' in found ? (
          <Question key={entryKey(found.view)} task={found} head={head} ways={ways} title={title} />
        ) : (
          <>
            <Head {...head} view={undefined} title={title} />
            <Modal.Body className="answer-none">
              <Elsewhere task={found} onGo={go} />
            </Modal.Body>
          </>
        )}
      </Modal.Content>
    </Modal.Root>
  );
}

/** Bind the address to the one question that is shown: what it says today, and after a later question has the same name, is the same. */
function useBinding(task: string, bound: string | undefined, go: (task: string) => void): void {
  const queries = useQueryClient();
  const latest = useRef(go);
  latest.current = go;
  useEffect(() => {
    if (bound === undefined || bound === task) return;
    const [from, to] = [parseTaskId(task), parseTaskId(bound)];
    const data = queries.getQueryData(questionQuery(from.execution, from.path).queryKey);
    if (data) queries.setQueryData(questionQuery(to.execution, to.path).queryKey, data);
    latest.current(bound);
  }, [queries, task, bound]);
}

/** Close by Escape, when nothing else takes it; and other questions, on purpose. */
function useDialogKeys(
  close: () => void,
  previous: string | undefined,
  next: string | undefined,
  go: (task: string) => void,
): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing || !isOnTop()) return;
      latest.current();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
  const to = (id: string | undefined) => () => {
    if (id !== undefined && isOnTop()) go(id);
  };
  useKeys({ '[': to(previous), ']': to(next) });
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

type ElsewhereProps = { task: Exclude<Task, { view: unknown }>; onGo: (task: string) => void };

/** What stands in place of a question that is not there, or not yet. */
function Elsewhere({ task, onGo }: ElsewhereProps) {
  switch (task.state) {
    case 'loading':
      return (
        <Group justify="center" p="xl">
          <Loader aria-label="Loading" />
        </Group>
      );
    case 'failed':
      return <QueryError error={task.error} retry={task.retry} what="The question" />;
    case 'several':
      return (
        <Stack gap="xs" className="answer-asked">
          <Text>
            Several questions of this execution are called <code>{task.name}</code>. Which one do you mean?
          </Text>
          {task.paths.map((path) => (
            <Anchor key={path} component="button" type="button" onClick={() => onGo(`${task.execution}:${path}`)}>
              {path}
            </Anchor>
          ))}
        </Stack>
      );
    case 'unknown':
      return (
        <Text className="answer-asked">
          There is no question <code>{task.path}</code> in the execution <code>{task.execution}</code>. The address may
          be incomplete, or the question belongs to another server.
        </Text>
      );
  }
}
