/** What stands before a gate: the outputs and the reports of the nodes it comes after, else what the execution was given. */
import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { executionQuery } from '../api/queries';
import type { ExecutionView, NodeView, WaitingView } from '../api/types';
import { Deck } from '../show/Deck';
import { Value } from '../show/Value';

export function Background({ view }: { view: WaitingView }) {
  const { data } = useQuery(executionQuery(view.execution));
  if (!data) return null;
  const before = nodesBefore(data, view);
  const inputs = Object.entries(data.inputs);
  return (
    <Stack gap="sm">
      {before.map((node) => <Node key={node.id} execution={view.execution} node={node} />)}
      {inputs.length > 0 && (
        <details open={before.length === 0 && view.kind === 'input'}>
          <summary>What the execution was given</summary>
          <div className="indent"><Value value={data.inputs} /></div>
        </details>
      )}
    </Stack>
  );
}

function Node({ execution, node }: { execution: string; node: NodeView }) {
  const outputs = Object.values(node.outputs ?? {});
  return (
    <>
      {outputs.length > 0 && (
        <details>
          <summary>What {node.name} gave{node.answer ? `, answered by ${node.answer.who}` : ''}</summary>
          <div className="indent">{outputs.length === 1 && outputs[0] !== undefined ? <Value value={outputs[0]} /> : <Value value={node.outputs ?? {}} />}</div>
          {node.answer?.comment && <Text size="sm" c="dimmed">“{node.answer.comment}”</Text>}
        </details>
      )}
      {node.deck && <Deck execution={execution} node={node.id} name={node.name} />}
    </>
  );
}

/** The nodes that a gate comes after, the nearest first: those right before it, and those before them. */
function nodesBefore(execution: ExecutionView, view: WaitingView): NodeView[] {
  const byId = new Map(execution.nodes.map((node) => [node.id, node]));
  const gate = execution.nodes.find((node) => node.kind === view.kind && (node.name === view.path || `${node.parent}/${node.name}` === view.path));
  const found = new Map<string, NodeView>();
  let edge = gate?.upstream ?? [];
  for (let steps = 0; steps < 3 && edge.length > 0; steps += 1) {
    const nodes = edge.map((id) => byId.get(id)).filter((node) => node !== undefined && !found.has(node.id)) as NodeView[];
    nodes.filter((node) => node.phase === 'SUCCEEDED' && node.kind !== 'sleep').forEach((node) => found.set(node.id, node));
    edge = nodes.flatMap((node) => node.upstream);
  }
  return [...found.values()];
}
