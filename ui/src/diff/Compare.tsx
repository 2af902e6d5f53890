/** Two values of one kind and what is different: which two is chosen above, if there are several. */
import { Loader, NativeSelect, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Json } from '../api/json';
import { factsQuery, textQuery } from '../show/files';
import { isTextFile, said } from '../show/media';
import { bytes } from '../show/numbers';
import { Cut } from '../show/whole';
import { DiffView } from './DiffView';
import { linesOf, type Pair } from './texts';
import { MOST } from './useDifference';

export function Compare({ pairs }: { pairs: readonly Pair[] }) {
  const [at, setAt] = useState(0);
  const pair = pairs[at] ?? pairs[0];
  if (!pair) return null;
  return (
    <>
      {pairs.length > 1 && (
        <NativeSelect
          size="xs"
          mb="xs"
          className="df-which"
          label="Compare"
          value={String(at)}
          onChange={(event) => setAt(Number(event.currentTarget.value))}
          data={pairs.map(({ left, right }, index) => ({
            value: String(index),
            label: `${left.label} with ${right.label}`,
          }))}
        />
      )}
      <Both key={at} pair={pair} />
    </>
  );
}

function Both({ pair }: { pair: Pair }) {
  const files = [pair.left.value, pair.right.value].map((value) => (isTextFile(value) ? said(value).digest : ''));
  const facts = useQueries({ queries: files.map((digest) => ({ ...factsQuery(digest), enabled: digest !== '' })) });
  const texts = useQueries({
    queries: files.map((digest, side) => {
      const size = facts[side]?.data?.size;
      return { ...textQuery(digest, Math.min(size ?? 0, MOST)), enabled: size !== undefined };
    }),
  });
  const [left, right] = useMemo(() => {
    const of = (value: Json, side: number, like?: Json) => (files[side] ? texts[side]?.data : linesOf(value, like));
    return [of(pair.left.value, 0), of(pair.right.value, 1, pair.left.value)];
  }, [pair, texts[0]?.data, texts[1]?.data]);
  const error = [...facts, ...texts].find((each) => each.error)?.error;
  if (error) return <Text c="dimmed">The two could not be compared: {error.message}</Text>;
  if (left === undefined || right === undefined) return <Loader size="sm" aria-label="Loading what is compared" />;
  const long = [left, right].map((text, side) => Math.max(text.length, facts[side]?.data?.size ?? 0));
  return (
    <>
      {long.some((each) => each > MOST) && (
        <Cut
          parts={[`the beginning of both is compared, ${bytes(MOST)} of up to ${bytes(Math.max(...long))}`]}
          onAll={undefined}
        />
      )}
      <DiffView left={left} right={right} names={[pair.left.label, pair.right.label]} />
    </>
  );
}
