/** A file of text: its beginning at first, the rest on request; Markdown and JSON as what they mean, or as they are written. */
import { Code, Loader, SegmentedControl, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react';
import { parseJson, type Json } from '../api/json';
import type { ViewerProps } from './parts';
import { textQuery } from './files';
import { shownAs } from './media';
import { bytes } from './numbers';
import { Cut, useEverything } from './whole';

const Prose = lazy(() => import('./Prose').then((module) => ({ default: module.Prose })));

/** Bytes that are shown at first, and at most: a browser lays out some five million characters in a second. */
const [FIRST, MOST] = [200_000, 5_000_000];
/** Bytes of Markdown that is laid out, and of JSON that becomes a tree. */
const MEANT = 1_000_000;
const BLOCK_LINES = 200;

type Look = 'meaning' | 'source';

/** `tree` shows what JSON means. */
export function TextFile({
  digest,
  name,
  media,
  size,
  tree: show,
}: ViewerProps & { tree: (value: Json) => ReactNode }) {
  const everything = useEverything();
  const [isWhole, setWhole] = useState(false);
  const [look, setLook] = useState<Look>('meaning');
  const many = Math.min(size, isWhole || everything ? MOST : FIRST);
  const { data, error } = useQuery({
    ...textQuery(digest, many),
    placeholderData: (before: string | undefined) => before,
  });
  const way = shownAs(media);
  const tree = useMemo(
    () => (way === 'json' && data !== undefined && size <= many && size <= MEANT ? parsed(data) : undefined),
    [way, data, size, many],
  );
  if (error) return <Text c="dimmed">The file could not be loaded: {error.message}</Text>;
  if (data === undefined) return <Loader size="sm" aria-label="Loading the file" />;
  const hasMeaning = way === 'markdown' ? many <= MEANT : tree !== undefined;
  const shown = hasMeaning && look === 'meaning';
  return (
    <>
      {hasMeaning && (
        <SegmentedControl<Look>
          size="xs"
          mb={6}
          aria-label={`How ${name} is shown`}
          value={look}
          onChange={setLook}
          data={[
            { value: 'meaning', label: way === 'json' ? 'Fields' : 'Formatted' },
            { value: 'source', label: 'As written' },
          ]}
        />
      )}
      {shown && tree ? (
        show(tree.value)
      ) : shown ? (
        <div className="tx-prose viewer" dir="auto">
          <Suspense fallback={<Loader size="sm" aria-label="Loading the file" />}>
            <Prose text={data} />
          </Suspense>
        </div>
      ) : (
        <Lines text={data} />
      )}
      <Cut
        parts={[many < size ? `${bytes(many)} of ${bytes(size)}` : '']}
        onAll={many < Math.min(size, MOST) ? () => setWhole(true) : undefined}
      />
    </>
  );
}

function parsed(text: string): { value: Json } | undefined {
  try {
    return { value: parseJson(text) as Json };
  } catch {
    return undefined;
  }
}

/** Text in blocks: the browser lays out those that are in sight. */
export function Lines({ text }: { text: string }) {
  const blocks = useMemo(() => {
    const lines = text.split('\n');
    return Array.from({ length: Math.ceil(lines.length / BLOCK_LINES) }, (_, at) =>
      lines.slice(at * BLOCK_LINES, (at + 1) * BLOCK_LINES).join('\n'),
    );
  }, [text]);
  return (
    <Code block className="tree viewer" tabIndex={0} dir="auto">
      {blocks.map((each, at) => (
        <div key={at} className="tx-block">
          {each}
        </div>
      ))}
    </Code>
  );
}
