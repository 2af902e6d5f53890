import { ActionIcon, Button, CopyButton, Group, Text, Title, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { writeJson, type Json, type JsonObject } from '../../api/json';
import type { NodeView, PreviewView } from '../../api/types';
import { IconCheck, IconCopy } from '../../app/icons';
import { bytes } from '../../show/numbers';
import { Value } from '../../show/Value';
import { nodeQuery } from './queries';

/** What a node was given. Values that are too large for the view of an execution are fetched when somebody asks for them. */
export function NodeInputs({ execution, node }: { execution: string; node: NodeView }) {
  const [isWanted, setWanted] = useState(false);
  const whole = useQuery({ ...nodeQuery(execution, node.id), enabled: isWanted });
  const values = whole.data?.inputs ?? node.inputs;
  const cut = whole.data ? {} : node.preview;
  return (
    <Named title="Inputs" values={values} cut={cut} empty={node.began ? 'None.' : 'Known once it begins.'}>
      {Object.keys(cut).length > 0 && (
        <Button size="compact-xs" variant="default" loading={whole.isFetching} onClick={() => setWanted(true)}>
          Show all of them
        </Button>
      )}
      {whole.error && (
        <Text role="alert" fz="sm" c="var(--bad)">
          {whole.error.message}
        </Text>
      )}
    </Named>
  );
}

export function NodeOutputs({ node }: { node: NodeView }) {
  const empty = node.outputs ? 'This node has no outputs.' : 'None: the node has not succeeded.';
  return <Named title="Outputs" values={node.outputs ?? {}} cut={{}} empty={empty} />;
}

/** Values by name, each on a line if it fits, with a way to copy them. */
function Named({
  title,
  values,
  cut,
  empty,
  children,
}: {
  title: string;
  values: Record<string, Json>;
  cut: Record<string, PreviewView>;
  empty: string;
  children?: React.ReactNode;
}) {
  const names = [...Object.keys(values), ...Object.keys(cut)];
  return (
    <section className="ex-part" aria-label={title}>
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Title order={3} className="ex-part-title">
          {title} <span className="dim">{names.length > 0 ? names.length : ''}</span>
        </Title>
        {names.length > 0 && (
          <CopyButton value={writeJson(values as JsonObject, 2)}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? 'Copied' : `Copy ${title.toLowerCase()}`}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size={26}
                  aria-label={`Copy ${title.toLowerCase()}`}
                  onClick={copy}
                >
                  {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
        )}
      </Group>
      {names.length === 0 ? (
        <Text c="dimmed" fz="sm">
          {empty}
        </Text>
      ) : (
        <dl className="ex-kv">
          {Object.entries(values).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Value value={value} />
              </dd>
            </div>
          ))}
          {Object.entries(cut).map(([name, { text, size }]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <span className="ex-preview">{text}…</span> <span className="dim">the beginning of {bytes(size)}</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {children}
    </section>
  );
}
