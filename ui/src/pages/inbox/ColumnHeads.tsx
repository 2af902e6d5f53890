import { UnstyledButton } from '@mantine/core';
import type { WaitingView } from '../../api/types';
import { IconDown, IconUp } from '../../app/icons';
import { isNumber } from './figures';
import { nextSort } from './search';

type Props = {
  columns: readonly string[];
  items: readonly WaitingView[];
  sort: string;
  onSort: (sort: string) => void;
};

/** The heads of the columns, of which each sorts. */
export function ColumnHeads({ columns, items, sort, onSort }: Props) {
  const head = (by: string, word: string, isRight: boolean) => {
    const way = sort === by ? 'ascending' : sort === `-${by}` ? 'descending' : undefined;
    return (
      <span key={by} className={isRight ? 'num' : undefined}>
        <UnstyledButton
          aria-label={`Sort by ${word}${way ? `, now ${way}` : ''}`}
          onClick={() => onSort(nextSort(sort, by))}
        >
          <span className="ell">{word}</span>
          {way === 'ascending' && <IconUp size={12} />}
          {way === 'descending' && <IconDown size={12} />}
        </UnstyledButton>
      </span>
    );
  };
  return (
    <div className="colheads" role="group" aria-label="Columns">
      <span />
      <span />
      {head('title', 'Title', false)}
      {columns.map((name) =>
        head(
          `figure:${name}`,
          name,
          items.some((each) => isNumber(each.figures[name])),
        ),
      )}
      <span>Launched by</span>
      {head('opened', 'Age', true)}
      {head('due', 'Due', true)}
    </div>
  );
}
