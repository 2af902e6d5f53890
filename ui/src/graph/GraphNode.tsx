/** One node of a graph. It takes what changes (phases, what is chosen) from around it, so that a change draws only what it touches. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';
import { IconChevron, IconPlay } from '../app/icons';
import { span, useNow } from '../show/time';
import { kindWord, type Inside, type Item } from './model';
import { PhaseIcon, phaseWord } from './phases';

export type Around = {
  items: ReadonlyMap<string, Item>;
  inside: ReadonlyMap<string, Inside>;
  folded: ReadonlySet<string>;
  chosen: string;
  choose: (id: string) => void;
  toggle: (id: string) => void;
  answer: ((id: string) => void) | undefined;
  walk: (from: string, key: string) => boolean;
};

export const GraphAround = createContext<Around | null>(null);
export type Placed = Node<{ container: boolean }, 'item'>;

export const GraphNode = memo(function GraphNode({ id, data }: NodeProps<Placed>) {
  const around = useContext(GraphAround);
  const item = around?.items.get(id);
  if (!around || !item) return null;
  const { total, ended, waiting } = around.inside.get(id) ?? { total: 0, ended: 0, waiting: 0 };
  const { choose, toggle, answer, walk } = around;
  return (
    <Box
      item={item}
      total={total}
      ended={ended}
      waiting={waiting}
      isContainer={data.container}
      isFolded={around.folded.has(id)}
      isChosen={around.chosen === id}
      choose={choose}
      toggle={toggle}
      answer={answer}
      walk={walk}
    />
  );
});

type BoxProps = Pick<Around, 'choose' | 'toggle' | 'answer' | 'walk'> &
  Inside & { item: Item; isContainer: boolean; isFolded: boolean; isChosen: boolean };

/** Rendered again only when it looks different. */
const Box = memo(function Box({
  item,
  total,
  ended,
  waiting,
  isContainer,
  isFolded,
  isChosen,
  choose,
  toggle,
  answer,
  walk,
}: BoxProps) {
  const { id } = item;
  const hasInside = total > 0;
  const asks = item.phase === 'WAITING';
  const asksInside = isFolded && waiting > 0;
  const state = phaseWord(item.phase);
  const kind = kindWord(item.kind, item.dynamic);
  const classes = [
    'gnode',
    `gnode-${item.kind}`,
    `phase-${item.phase}`,
    isContainer && 'gnode-container',
    isChosen && 'gnode-chosen',
    asksInside && 'gnode-asks',
  ];
  return (
    <div className={classes.filter(Boolean).join(' ')} data-node={id} data-phase={item.phase}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="ghead">
        <PhaseIcon phase={item.phase} size={20} />
        <button
          type="button"
          className="gname nodrag nopan"
          data-focus={id}
          aria-label={[item.name, kind, state, asksInside ? 'waits for a person inside' : '']
            .filter(Boolean)
            .join(', ')}
          aria-pressed={isChosen}
          onClick={() => (item.kind === 'group' ? toggle(id) : choose(id))}
          onKeyDown={(event) => {
            if (walk(id, event.key)) event.preventDefault();
          }}
        >
          <b title={item.name}>{item.name}</b>
          <span>
            {kind}
            {item.phase === 'SLEEPING' && item.node?.due ? (
              <Countdown due={item.node.due} />
            ) : (
              state && ` · ${asks ? 'Waiting' : state}`
            )}
            {hasInside && item.phase !== 'NONE' && item.kind !== 'branch' && ` · ${ended} of ${total}`}
          </span>
        </button>
        {asks && answer && (
          <Tooltip label="Answer">
            <ActionIcon
              className="ganswer nodrag nopan"
              size={34}
              radius="xl"
              aria-label={`Answer ${item.name}`}
              onClick={() => answer(id)}
            >
              <IconPlay size={18} />
            </ActionIcon>
          </Tooltip>
        )}
        {hasInside && (
          <ActionIcon
            className="gfold nodrag nopan"
            size={28}
            variant="subtle"
            color="gray"
            aria-expanded={!isFolded}
            aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${item.name}`}
            onClick={() => toggle(id)}
          >
            <IconChevron size={16} />
          </ActionIcon>
        )}
      </div>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

export function Countdown({ due }: { due: string }) {
  const left = new Date(due).getTime() - useNow(true);
  return <> · {left <= 0 ? 'wakes up' : `${span(left)} left`}</>;
}
