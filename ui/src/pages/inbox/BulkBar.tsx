import { Anchor, Button, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { sendMany } from '../../answer/send';
import { entryKey, taskId } from '../../api/queries';
import type { AnswerResult, WaitingView } from '../../api/types';
import { bytes } from '../../show/brief';
import { cutParts, sizeOf } from '../../show/cut';

type Props = {
  selected: ReadonlyMap<string, WaitingView>;
  approvals: WaitingView[];
  onSelect: (views: WaitingView[]) => void;
};

/** Approve or reject many at once, with one comment; each has its own result. What the list truncates is never decided on silently. */
export function BulkBar({ selected, approvals, onSelect }: Props) {
  const queries = useQueryClient();
  const [comment, setComment] = useState('');
  const [asked, setAsked] = useState<boolean>();
  const sending = useMutation({
    mutationFn: ({ views, value }: { views: WaitingView[]; value: boolean }) => sendMany(views, { value, comment }),
    onSuccess: () => {
      onSelect([]);
      setComment('');
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['inbox'] }),
  });
  const views = [...selected.values()];
  const cut = views.filter(isCut);
  const many = views.length;
  const send = (value: boolean, chosen: WaitingView[]) => {
    setAsked(undefined);
    sending.mutate({ views: chosen, value });
  };
  const decide = (value: boolean) => (cut.length > 0 ? setAsked(value) : send(value, views));
  return (
    <>
      {many > 0 && (
        <Group className="bulk card" gap="sm" role="region" aria-label="For all that are selected">
          <Text fw={600}>{many} selected</Text>
          <TextInput
            aria-label="Comment for all"
            placeholder="Comment for all (optional)"
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
            flex={1}
            miw={180}
          />
          <Button className="approve" loading={sending.isPending} onClick={() => decide(true)}>
            Approve {many}
          </Button>
          <Button variant="default" className="reject" loading={sending.isPending} onClick={() => decide(false)}>
            Reject {many}
          </Button>
          {many < approvals.length && (
            <Button variant="subtle" onClick={() => onSelect(approvals)}>
              Select all {approvals.length} shown
            </Button>
          )}
          <Button variant="subtle" onClick={() => onSelect([])}>
            Clear
          </Button>
          {cut.length > 0 && (
            <Text size="sm" w="100%">
              {cut.length} of {many} {cut.length === 1 ? 'is' : 'are'} truncated in this list.
            </Text>
          )}
          {sending.error && (
            <Text c="var(--mantine-color-error)" role="alert">
              Not sent: {sending.error.message}
            </Text>
          )}
        </Group>
      )}
      {asked !== undefined && cut.length > 0 && (
        <Unseen
          verb={asked ? 'Approve' : 'Reject'}
          cut={cut}
          many={many}
          onAll={() => send(asked, views)}
          onRest={() =>
            send(
              asked,
              views.filter((each) => !isCut(each)),
            )
          }
          onClose={() => setAsked(undefined)}
        />
      )}
      <Results results={sending.data} onClose={() => sending.reset()} />
    </>
  );
}

function isCut(view: WaitingView): boolean {
  return cutParts(view).length > 0;
}

type UnseenProps = {
  verb: string;
  cut: WaitingView[];
  many: number;
  onAll: () => void;
  onRest: () => void;
  onClose: () => void;
};

/** Names those of the selected that the list does not show in full, before anything is decided. */
function Unseen({ verb, cut, many, onAll, onRest, onClose }: UnseenProps) {
  const rest = many - cut.length;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${cut.length} of ${many} not shown in full`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="sm">
        <Text size="sm">The list shows only the beginning of these. Follow a link to see the whole question.</Text>
        <List size="sm" spacing={4} className="unseen">
          {cut.map((view) => (
            <List.Item key={entryKey(view)}>
              <Anchor href={`#/?task=${encodeURIComponent(taskId(view))}`} target="_blank" underline="always">
                {view.title || view.name} of {view.execution}
              </Anchor>
              , {bytes(sizeOf(cutParts(view)))}
            </List.Item>
          ))}
        </List>
        <Group gap="sm">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          {rest > 0 && (
            <Button variant="default" onClick={onRest}>
              {verb} the other {rest}
            </Button>
          )}
          <Button color="red.9" onClick={onAll}>
            {verb} all {many} anyway
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Results({ results, onClose }: { results: AnswerResult[] | undefined; onClose: () => void }) {
  const taken = results?.filter((each) => each.status === 200) ?? [];
  const refused = results?.filter((each) => each.status !== 200) ?? [];
  return (
    <Modal
      opened={results !== undefined}
      onClose={onClose}
      title={`${taken.length} of ${results?.length ?? 0} taken`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {refused.length > 0 && (
        <Text fw={600} mb={4}>
          Not accepted
        </Text>
      )}
      <List size="sm" spacing={4}>
        {refused.map((each) => (
          <List.Item key={`${each.execution}:${each.signal}`}>
            <b>{each.signal}</b> of {each.execution}: {String(each.problem?.detail ?? each.status)}
          </List.Item>
        ))}
      </List>
      {taken.length > 0 && (
        <details open={refused.length === 0 && taken.length <= 20}>
          <summary>Taken</summary>
          <List size="sm">
            {taken.map((each) => (
              <List.Item key={`${each.execution}:${each.signal}`}>
                {each.signal} of {each.execution}
              </List.Item>
            ))}
          </List>
        </details>
      )}
      <Button mt="md" onClick={onClose} data-autofocus>
        Done
      </Button>
    </Modal>
  );
}
