/** The two ways to a grid: from rows that are in the page, and from a file, which the server reads if it can. */
import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiError, getBlob, segments } from '../api/client';
import type { Json } from '../api/json';
import { ALL, readTable, type TableKind } from '../show/tables';
import { DataGrid } from './DataGrid';
import { localSource, typed } from './local';
import { openServed } from './served';

let made = 0;

/** Rows that are here. `names` are those of the columns. */
export function LocalTable({ names, rows }: { names: readonly string[]; rows: readonly (readonly Json[])[] }) {
  const source = useMemo(() => localSource(names, rows, ['local', ++made]), [names, rows]);
  return <DataGrid key={String(source.key[1])} source={source} />;
}

/** Bytes of a file that the page reads itself where the server cannot. */
export const READ_HERE = 20_000_000;

type FileProps = { digest: string; kind: TableKind | undefined; size: number };

/** A file of rows. `kind` is how the page itself can read it, if it can. */
export function FileTable({ digest, kind, size }: FileProps) {
  const served = useQuery({
    queryKey: ['table', digest, kind],
    queryFn: ({ signal }) => openServed(digest, kind ? `file.${kind}` : '', signal),
    staleTime: Infinity,
    retry: false,
  });
  if (served.data) return <DataGrid key={served.data.digest} source={served.data} />;
  if (!served.error)
    return (
      <>
        <Loader size="sm" aria-label="Loading the table" />
        {size > READ_HERE && (
          <Text size="sm" c="dimmed">
            A large file is prepared when it is opened for the first time; that may take half a minute.
          </Text>
        )}
      </>
    );
  const why = served.error instanceof ApiError ? served.error : undefined;
  return (
    <>
      {why && why.code !== 'tables_missing' && (
        <Text size="sm" c="dimmed">
          The server cannot show it as a table: {why.message}
        </Text>
      )}
      {kind && size <= READ_HERE ? (
        <ReadHere digest={digest} kind={kind} />
      ) : (
        <Text size="sm" c="dimmed">
          {why?.code === 'tables_missing' ? why.message : 'It can be downloaded.'}
        </Text>
      )}
    </>
  );
}

function ReadHere({ digest, kind }: { digest: string; kind: TableKind }) {
  const { data, error } = useQuery({
    queryKey: ['read', digest, kind],
    queryFn: async () => {
      const { columns, rows, wide } = await readTable(kind, await getBlob(`/api/v1/blobs/${segments(digest)}`), ALL);
      const names = columns ?? Array.from({ length: wide }, (_, at) => String(at + 1));
      return localSource(names, kind === 'csv' || kind === 'tsv' ? typed(rows, wide) : rows, ['read', digest, kind]);
    },
    staleTime: Infinity,
    retry: false,
  });
  if (error)
    return (
      <Text size="sm" c="dimmed">
        It cannot be shown as a table here ({error.message}).
      </Text>
    );
  return data ? <DataGrid source={data} /> : <Loader size="sm" aria-label="Loading the table" />;
}
