/** What stands above a graph: the search for a node, and the way to what waits. */
import { ActionIcon, Button, Kbd, TextInput } from '@mantine/core';
import { useState } from 'react';
import { IconSearch, IconX } from '../app/icons';

type Props = {
  find: (text: string) => string[];
  show: (id: string) => void;
  mark: (ids: readonly string[]) => void;
  waiting: number;
  nextWaiting: () => void;
};

export function GraphBar({ find, show, mark, waiting, nextWaiting }: Props) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const ids = text.trim() === '' ? [] : find(text);
  const go = (next: number) => {
    const id = ids[((next % ids.length) + ids.length) % ids.length];
    if (id === undefined) return;
    setAt(((next % ids.length) + ids.length) % ids.length);
    show(id);
  };
  const type = (next: string) => {
    setText(next);
    setAt(0);
    const hits = find(next);
    mark(hits);
    if (hits[0] !== undefined) show(hits[0]);
  };
  return (
    <div className="gbar">
      <TextInput
        data-search
        size="xs"
        type="search"
        className="gfind"
        aria-label="Find a node"
        placeholder="Find a node"
        leftSection={<IconSearch size={14} />}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go(at + (event.shiftKey ? -1 : 1));
          else if (event.key === 'Escape' && text !== '') {
            event.stopPropagation();
            type('');
          }
        }}
        rightSection={
          text !== '' && (
            <ActionIcon size="xs" variant="subtle" color="gray" aria-label="Clear the search" onClick={() => type('')}>
              <IconX size={12} />
            </ActionIcon>
          )
        }
      />
      <span className="gcount" role="status">
        {text.trim() !== '' && (ids.length === 0 ? 'No node matches' : `${at + 1} of ${ids.length}`)}
      </span>
      {waiting > 0 && (
        <Button size="compact-sm" variant="subtle" color="gray" onClick={nextWaiting} rightSection={<Kbd>W</Kbd>}>
          Next waiting
        </Button>
      )}
    </div>
  );
}
