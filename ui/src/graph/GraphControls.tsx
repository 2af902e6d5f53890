/** What stands over a graph: its scale, full screen, and an overview once there is more than the view shows. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { MiniMap, Panel, useReactFlow, useViewport } from '@xyflow/react';
import { IconFull, IconMinus, IconPlus } from '../app/icons';
import { useKeys } from '../app/keys';
import type { Places } from './layout';
import type { Item } from './model';
import { isWhole, wholeView, type Size } from './view';

const MANY = 30;

type Props = {
  places: Places;
  size: Size;
  items: ReadonlyMap<string, Item>;
  isFull: boolean;
  setFull: (on: boolean) => void;
};

export function GraphControls({ places, size, items, isFull, setFull }: Props) {
  const flow = useReactFlow();
  const fit = () => void flow.setViewport(wholeView(places, size));
  useKeys({
    '+': () => void flow.zoomIn(),
    '=': () => void flow.zoomIn(),
    '-': () => void flow.zoomOut(),
    '0': fit,
    f: () => setFull(!isFull),
  });
  return (
    <>
      <Overview places={places} size={size} items={items} />
      <Panel position="bottom-right" className="gcontrols">
        <Control label="Zoom in" keys="+" act={() => void flow.zoomIn()}>
          <IconPlus size={16} />
        </Control>
        <Control label="Zoom out" keys="-" act={() => void flow.zoomOut()}>
          <IconMinus size={16} />
        </Control>
        <button type="button" className="gfit" onClick={fit} title="Show all (0)">
          Fit
        </button>
        <Control label={isFull ? 'Leave full screen' : 'Full screen'} keys="f" act={() => setFull(!isFull)}>
          <IconFull size={16} />
        </Control>
      </Panel>
    </>
  );
}

function Control({
  label,
  keys,
  act,
  children,
}: {
  label: string;
  keys: string;
  act: () => void;
  children: React.ReactNode;
}) {
  return (
    <Tooltip label={`${label} (${keys})`}>
      <ActionIcon variant="subtle" color="gray" size={28} aria-label={label} onClick={act}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** A small picture of the whole: where there are many nodes, or some out of sight. */
function Overview({ places, size, items }: Pick<Props, 'places' | 'size' | 'items'>) {
  const view = useViewport();
  if (places.boxes.length <= MANY && isWhole(view, places, size)) return null;
  return (
    <MiniMap
      position="bottom-left"
      className="gmap"
      ariaLabel="Overview of the graph"
      pannable
      zoomable
      nodeClassName={({ id, data }) =>
        `phase-${items.get(id)?.phase ?? 'NONE'} ${data.container === true ? 'gmap-frame' : 'gmap-node'}`
      }
      nodeBorderRadius={12}
    />
  );
}
