/** One node of a graph. It takes what changes (phases, what is chosen) from around it, so that a change draws only what it touches. */
import { ActionIcon } from '@mantine/core';
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';
import { IconChevron } from '../app/icons';
import { length, span, useNow } from '../show/time';
import { GraphRounds } from './GraphRounds';
import { kindWord, type Inside, type Item } from './model';
import { ENDED, PhaseIcon, phaseWord } from './phases';
import type { Rounds } from './rounds';
import { asksNow } from './states';

export type Around = {
  items: ReadonlyMap<string, Item>;
  inside: ReadonlyMap<string, Inside>;
  folded: ReadonlySet<string>;
  rounds: ReadonlyMap<string, Rounds>;
  /** Loops whose rows are all shown. */
  unfolded: ReadonlySet<string>;
  marked: ReadonlySet<string>;
  chosen: string;
  /** The only node that Tab stops at. */
  stop: string;
  choose: (id: string) => void;
  toggle: (id: string) => void;
  open: (frame: string, round: number) => void;
  unfold: (frame: string) => void;
  answer: ((id: string) => void) | undefined;
  walk: (from: string, key: string) => boolean;
  stopAt: (id: string) => void;
};

export const GraphAround = createContext<Around | null>(null);
export type Placed = Node<{ container: boolean }, 'item'>;
const NOTHING: Inside = { total: 0, ended: 0, waiting: 0 };

export const GraphNode = memo(function GraphNode({ id, data }: NodeProps<Placed>) {
  const around = useContext(GraphAround);
  const item = around?.items.get(id);
  if (!around || !item) return null;
  const { total, ended, waiting } = around.inside.get(id) ?? NOTHING;
  const { choose, toggle, answer, walk, stopAt, open, unfold } = around;
  return (
    <Box
      item={item}
      total={total}
      ended={ended}
      waiting={waiting}
      rounds={around.rounds.get(id)}
      areAllRows={around.unfolded.has(id)}
      isContainer={data.container}
      isFolded={around.folded.has(id)}
      isChosen={around.chosen === id}
      isMarked={around.marked.has(id)}
      isStop={around.stop === id}
      choose={choose}
      toggle={toggle}
      answer={answer}
      walk={walk}
      stopAt={stopAt}
      open={open}
      unfold={unfold}
    />
  );
});

type BoxProps = Pick<Around, 'choose' | 'toggle' | 'answer' | 'walk' | 'stopAt' | 'open' | 'unfold'> &
  Inside & {
    item: Item;
    rounds: Rounds | undefined;
    areAllRows: boolean;
    isContainer: boolean;
    isFolded: boolean;
    isChosen: boolean;
    isMarked: boolean;
    isStop: boolean;
  };

/** Rendered again only when it looks different. */
const Box = memo(function Box(props: BoxProps) {
  const { item, total, ended, waiting, rounds, isContainer, isFolded, isChosen, isMarked, isStop } = props;
  const { choose, toggle, answer, walk, stopAt } = props;
  const { id } = item;
  const hasInside = total > 0;
  const asks = asksNow(item);
  const asksInside = waiting > 0;
  const kind = kindWord(item.kind, item.dynamic);
  const classes = [
    'gnode',
    `gnode-${item.kind}`,
    `phase-${item.phase}`,
    isContainer && 'gnode-container',
    isChosen && 'gnode-chosen',
    isMarked && 'gnode-marked',
  ];
  const press = () => (item.kind === 'group' ? toggle(id) : choose(id));
  const verb = item.kind === 'approve' ? 'Approve…' : 'Answer';
  return (
    <div className={classes.filter(Boolean).join(' ')} data-node={id} data-phase={item.phase}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="ghead">
        <PhaseIcon phase={item.phase} size={16} />
        <button
          type="button"
          className="gname nodrag nopan"
          data-focus={id}
          tabIndex={isStop ? 0 : -1}
          aria-label={[
            item.name,
            kind,
            phaseWord(item.phase),
            rounds ? `${rounds.word} ${rounds.open} of ${rounds.rounds.length}` : '',
            asksInside ? 'waits for people inside' : '',
          ]
            .filter(Boolean)
            .join(', ')}
          aria-pressed={isChosen}
          onClick={press}
          onFocus={() => stopAt(id)}
          onKeyDown={(event) => {
            if (walk(id, event.key)) event.preventDefault();
            else if (event.key === ' ' && hasInside) {
              event.preventDefault();
              toggle(id);
            }
          }}
        >
          <b title={item.name} dir="auto">
            {item.name}
          </b>
          <Below item={item} kind={kind} total={total} ended={ended} rounds={rounds} />
        </button>
        {asks && answer && (
          <button
            type="button"
            className="ganswer nodrag nopan"
            tabIndex={-1}
            aria-label={`${verb} ${item.name}`}
            onClick={() => answer(id)}
          >
            {verb}
          </button>
        )}
        {hasInside && (
          <ActionIcon
            className="gfold nodrag nopan"
            size={26}
            variant="subtle"
            color="gray"
            tabIndex={-1}
            aria-expanded={!isFolded}
            aria-label={`${isFolded ? 'Unfold' : 'Fold'} ${item.name}`}
            onClick={() => toggle(id)}
          >
            <IconChevron size={15} />
          </ActionIcon>
        )}
      </div>
      {rounds && isContainer && (
        <GraphRounds
          frame={id}
          name={item.name}
          phase={item.phase}
          rounds={rounds}
          isUnfolded={props.areAllRows}
          open={props.open}
          unfold={props.unfold}
        />
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

/** The line below the name: what it is, if not a task; how it stands; and how long it took, or how much of it is done. */
function Below({
  item,
  kind,
  total,
  ended,
  rounds,
}: Pick<BoxProps, 'item' | 'total' | 'ended' | 'rounds'> & { kind: string }) {
  if (rounds) {
    const { word, rounds: all, most } = rounds;
    const many = all.at(-1)?.number ?? 0;
    return (
      <span>
        {word === 'Call' ? `${many} calls` : `round ${many}${most > 0 ? ` of at most ${most}` : ''}`}
        {` · ${shortWord(item.phase)}`}
      </span>
    );
  }
  const words = [
    (item.kind === 'task' && !item.dynamic) || asksNow(item) ? '' : kind,
    item.phase === 'SLEEPING' && item.node?.due ? <Countdown key="due" due={item.node.due} /> : shortWord(item.phase),
    total > 0 && item.phase !== 'NONE' && item.kind !== 'branch' ? `${ended} of ${total}` : tookOf(item),
  ].filter((each) => each !== '');
  return (
    <span>
      {words.map((each, at) => (
        <span key={at}>
          {at > 0 && ' · '}
          {each}
        </span>
      ))}
    </span>
  );
}

/** What is waited for is told by the place itself. */
function shortWord(phase: string): string {
  return phase === 'WAITING' ? 'Waiting' : phaseWord(phase);
}

function tookOf({ kind, phase, node }: Item): string {
  if (kind === 'branch' || !ENDED.has(phase) || !node?.began || !node.ended) return '';
  return length(Date.parse(node.ended) - Date.parse(node.began));
}

export function Countdown({ due }: { due: string }) {
  const left = new Date(due).getTime() - useNow(true);
  return <>{left <= 0 ? 'wakes up' : `${span(left)} left`}</>;
}
