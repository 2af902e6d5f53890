import { Button } from '@mantine/core';
import type { InboxSummary } from '../../api/types';
import { LinkAnchor } from '../links';
import type { InboxSearch } from './search';

export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <div className="card empty">
      <b>No question matches</b>
      <Button variant="default" onClick={onClear}>
        Clear filters
      </Button>
    </div>
  );
}

/** Nothing waits, here or at all; and where something does. */
export function Empty({ search, summary }: { search: InboxSearch; summary: InboxSummary | undefined }) {
  const others = search.all ? 0 : (summary?.all ?? 0);
  return (
    <div className="card empty">
      <b>{search.all ? 'Nothing waits for a person' : 'Nothing waits for you'}</b>
      {others > 0 && (
        <p>
          {others.toLocaleString()} {others === 1 ? 'question waits' : 'questions wait'} for others:{' '}
          <LinkAnchor to="/" search={{ all: true }} underline="always">
            show all
          </LinkAnchor>
          .
        </p>
      )}
      <p className="dim">
        New questions appear here by themselves. A workflow asks with <code>wait_for_input</code> and{' '}
        <code>approve</code>; launch one under{' '}
        <LinkAnchor to="/workflows" underline="always">
          Workflows
        </LinkAnchor>
        .
      </p>
    </div>
  );
}
