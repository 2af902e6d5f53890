import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getBlob, segments } from '../api/client';
import { brief } from './brief';
import { Grid } from './Grid';
import { MOST_ROWS, readTable, type TableKind } from './tables';

const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

/** The first rows of a table that is stored as a file. */
export function TableBlob({ digest, kind }: { digest: string; kind: TableKind }) {
  const { data, error } = useQuery({
    queryKey: ['table', digest, kind],
    queryFn: async () => readTable(kind, await getBlob(`/api/v1/blobs/${segments(digest)}`)),
    staleTime: Infinity,
    retry: false,
  });
  if (error) return <Text size="sm" c="dimmed">It cannot be shown as a table here ({error.message}).</Text>;
  if (!data) return <Loader size="sm" aria-label="Loading the table" />;
  if (data.total === 0) return <Text c="dimmed">A table without rows{data.columns && `: ${data.columns.join(', ')}`}</Text>;
  return (
    <>
      <Grid columns={data.columns} rows={data.rows.map((row) => row.map((each) => ({ shown: each === null ? <span className="dim">nothing</span> : brief(each, 200), isNumber: NUMBER.test(String(each)) })))} />
      {data.total > MOST_ROWS && <Text size="sm" c="dimmed">The first {MOST_ROWS} of {data.total.toLocaleString()} rows.</Text>}
    </>
  );
}
