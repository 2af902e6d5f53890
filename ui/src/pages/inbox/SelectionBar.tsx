import { Button } from '@mantine/core';
import type { WaitingView } from '../../api/types';
import { IconChevron } from '../../app/icons';
import { sumsOf } from './figures';

const SUMS = 2;

type Props = {
  views: WaitingView[];
  /** Selected, and not in the list as it is filtered now. */
  hidden: number;
  /** Of the same workflow, in the list, and not selected. */
  more: WaitingView[];
  onMore: () => void;
  onLook: () => void;
  onClear: () => void;
};

/** What is selected, with its sums; the way to the look, and out. */
export function SelectionBar({ views, hidden, more, onMore, onLook, onClear }: Props) {
  const [first] = views;
  if (!first) return null;
  return (
    <div className="floating" role="region" aria-label="Selection">
      <b>{views.length} selected</b>
      {hidden > 0 && <span className="soon">{hidden} of them not in this list</span>}
      {sumsOf(views)
        .slice(0, SUMS)
        .map(([name, sum]) => (
          <span key={name} className="dim num">
            {name} {sum}
          </span>
        ))}
      <span className="rule" />
      <span className="dim ell">{first.workflow} only</span>
      {more.length > 0 && (
        <Button variant="subtle" size="xs" onClick={onMore}>
          Select {more.length} more
        </Button>
      )}
      <Button onClick={onLook} rightSection={<IconChevron size={16} />}>
        Look and decide
      </Button>
      <Button variant="subtle" onClick={onClear} rightSection={<kbd className="kbd">Esc</kbd>}>
        Clear
      </Button>
    </div>
  );
}
