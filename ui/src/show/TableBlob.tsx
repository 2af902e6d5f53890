import { Loader, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Json } from '../api/json';
import { getBlob, segments } from '../api/client';
import { brief } from './brief';
import { Grid } from './Grid';
import { ALL, readTable, SOME, type TableKind } from './tables';
import { Cut, part, useEverything } from './whole';

const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

/** Characters of a cell. */
const LONG = 200;

/** The first rows of a table that is stored as a file. */
export function TableBlob({ digest, kind }: { digest: string; kind: TableKind }) {
  const everything = useEverything();
  const [whole, setWhole] = useState(false);
  const all = whole || everything;
  const { data, error } = useQuery({
    queryKey: ['table', digest, kind, all],
    queryFn: async () => readTable(kind, await getBlob(`/api/v1/blobs/${segments(digest)}`), all ? ALL : SOME),
    staleTime: Infinity,
    retry: false,
    placeholderData: keepPreviousData,
  });
  if (error)
    return (
      <Text size="sm" c="dimmed">
        It cannot be shown as a table here ({error.message}).
      </Text>
    );
  if (!data) return <Loader size="sm" aria-label="Loading the table" />;
  if (data.total === 0)
    return <Text c="dimmed">A table without rows{data.columns && `: ${data.columns.join(', ')}`}</Text>;
  return (
    <>
      <Grid
        columns={data.columns}
        rows={data.rows.map((row) =>
          row.map((each) => ({
            shown: each === null ? <span className="dim">nothing</span> : brief(each, all ? Infinity : LONG),
            isNumber: NUMBER.test(String(each)),
          })),
        )}
      />
      <Cut
        parts={[
          part(data.rows.length, data.total, 'rows'),
          part(data.columns?.length ?? data.rows[0]?.length ?? 0, data.wide, 'columns'),
          long(data.rows, all),
        ]}
        onAll={() => setWhole(true)}
      />
    </>
  );
}

/** Say how many cells are shortened. */
function long(rows: Json[][], all: boolean): string {
  const many = all ? 0 : rows.flat().filter((each) => each !== null && brief(each, Infinity).length > LONG).length;
  return many > 0 ? `the beginning of ${many} long cell${many === 1 ? '' : 's'}` : '';
}
