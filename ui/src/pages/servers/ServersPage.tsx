/** The servers that share the store: which is alive, how much of the store each owns, and since when. */
import { Code, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ReplicaView } from '../../api/types';
import { IconAlert } from '../../app/icons';
import { QueryError } from '../../app/PageError';
import { setTitle } from '../../app/title';
import { exact, span, useNow } from '../../show/time';
import { replicasQuery } from './queries';
import { ranges, SHARDS, unowned } from './shards';
import './servers.css';

/** A lease that was not renewed for this many seconds is late; it is renewed every few seconds and ends after ten. */
const LATE = 6;

export function ServersPage() {
  const query = useQuery(replicasQuery);
  useEffect(() => setTitle('Servers'), []);
  return (
    <Stack>
      <div className="pagehead">
        <h1>Servers</h1>
      </div>
      {query.data ? (
        <Servers servers={query.data.items} />
      ) : query.error ? (
        <QueryError error={query.error} retry={() => void query.refetch()} what="The servers" />
      ) : (
        <Skeleton h={120} aria-label="Loading" />
      )}
    </Stack>
  );
}

function Servers({ servers }: { servers: ReplicaView[] }) {
  if (servers.length === 0)
    return (
      <Stack className="card" p="lg" gap="xs" align="flex-start">
        <Text fw={600}>One server owns this store.</Text>
        <Text>The store is a file, so the server that replies here owns all of it, and no other can take over.</Text>
        <Text c="dimmed">
          Several servers can share a store on Postgres: <Code>tidegate serve --store postgresql://...</Code>
        </Text>
      </Stack>
    );
  const free = unowned(servers);
  const versions = new Set(servers.map(({ version }) => version));
  return (
    <>
      <p className="dim sv-lead">
        {servers.length === 1 ? 'One server is' : `${servers.length} servers are`} alive on this store, which has{' '}
        {SHARDS} shards. The owner of a shard decides about the executions in it, and every server takes every request.
      </p>
      {free.length > 0 && (
        <Note title={`Nobody owns ${free.length} of ${SHARDS} shards`}>
          Executions in them wait until a server takes them, which it does within seconds: {ranges(free)}.
        </Note>
      )}
      {versions.size > 1 && <Note title={`Servers of ${versions.size} versions share this store`} />}
      <ul className="sv-list" aria-label="Servers">
        {servers.map((each) => (
          <Server key={each.name} server={each} />
        ))}
      </ul>
    </>
  );
}

function Note({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <div className="sv-note" role="status">
      <IconAlert size={16} />
      <div>
        <b>{title}</b>
        {children && <p>{children}</p>}
      </div>
    </div>
  );
}

function Server({ server }: { server: ReplicaView }) {
  const { name, address, version, since, leaving, shards, newest, here, lease_age: age } = server;
  const many = shards.length;
  return (
    <li className="card sv-one">
      <div className="sv-head">
        <h2 dir="auto">{name}</h2>
        {here && <span className="sv-chip">replies to this page</span>}
        {leaving && <span className="sv-chip sv-warns">leaving</span>}
      </div>
      <p className="dim sv-address">{address}</p>
      <dl className="sv-facts">
        <Fact name="Version">{version}</Fact>
        <Fact name="Alive for">
          <Since at={since} />
        </Fact>
        <Fact name="Lease renewed">
          <span className={age > LATE ? 'sv-warns' : undefined}>
            {age < 1 ? 'just now' : `${span(Math.floor(age) * 1_000)} ago`}
          </span>
        </Fact>
        <Fact name="Shards">
          <b>{many}</b> of {SHARDS}
        </Fact>
        <Fact name="Newest taken">{newest ? <Since at={newest} ago /> : 'none'}</Fact>
      </dl>
      <Shards shards={shards} />
    </li>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Since({ at, ago = false }: { at: string; ago?: boolean }) {
  const then = new Date(at);
  const passed = Math.max(0, useNow(true) - then.getTime());
  return (
    <time dateTime={at} title={exact(then)}>
      {span(passed)}
      {ago && ' ago'}
    </time>
  );
}

/** The shards of a server among all, as a strip. */
function Shards({ shards }: { shards: number[] }) {
  const own = new Set(shards);
  const words = shards.length === 0 ? 'owns no shard' : `owns shards ${ranges(shards)}`;
  return (
    <div className="sv-strip" role="img" aria-label={words} title={words}>
      {Array.from({ length: SHARDS }, (_, shard) => (
        <span key={shard} className={own.has(shard) ? 'sv-own' : undefined} />
      ))}
    </div>
  );
}
