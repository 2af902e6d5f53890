/** What stands before a gate: the outputs and the reports of the nodes it comes after, and what the execution was given. */
import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Json, JsonObject } from '../api/json';
import { executionQuery } from '../api/queries';
import type { ExecutionView, NodeView, WaitingView } from '../api/types';
import { same } from '../form/check';
import { Deck } from '../show/Deck';
import { isTall } from '../show/tall';
import { Value } from '../show/Value';
import { gateAt } from './useTask';

/** A node before the gate, with its output; `output` is undefined where there is none that the question does not show already. */
export type Before = { node: NodeView; output: Json | undefined };

export function useBackground(view: WaitingView): { nodes: Before[]; inputs: JsonObject } {
  const { data } = useQuery(executionQuery(view.execution));
  return useMemo(() => (data ? backgroundOf(data, view) : { nodes: [], inputs: {} }), [data, view]);
}

function backgroundOf(data: ExecutionView, view: WaitingView): { nodes: Before[]; inputs: JsonObject } {
  const shown = [view.value, ...Object.values(view.show)];
  const isShown = (value: Json | undefined) =>
    shown.some((each) => each !== undefined && value !== undefined && same(each, value));
  const nodes = nodesBefore(data, view)
    .map((node): Before => {
      const output = outputOf(node);
      return { node, output: isShown(output) ? undefined : output };
    })
    .filter(({ node, output }) => output !== undefined || node.deck);
  return { nodes, inputs: data.inputs ?? {} };
}

/** What a node gave: the value itself, where it has one output only. */
function outputOf({ outputs }: NodeView): Json | undefined {
  const values = Object.values(outputs ?? {});
  return values.length > 1 ? (outputs ?? {}) : values[0];
}

/** The nearest node is open, the others are a click away; so is a tall one above a form, which would be out of sight. */
export function Beside({ execution, nodes, isAbove }: { execution: string; nodes: Before[]; isAbove: boolean }) {
  return (
    <Stack gap="sm" component="section" aria-label="What came before" className="beside">
      {nodes.map(({ node, output }, index) => (
        <div key={node.id}>
          {output !== undefined && (
            <details open={index === 0 && !(isAbove && isTall(output))}>
              <summary>
                Output of {node.name}
                {node.answer ? `, answered by ${node.answer.who}` : ''}
              </summary>
              <div className="indent">
                <Value value={output} />
              </div>
              {node.answer?.comment && (
                <Text size="sm" c="dimmed">
                  “{node.answer.comment}”
                </Text>
              )}
            </details>
          )}
          {node.deck && <Deck execution={execution} node={node.id} name={node.name} />}
        </div>
      ))}
    </Stack>
  );
}

export function Given({ inputs }: { inputs: JsonObject }) {
  if (Object.keys(inputs).length === 0) return null;
  return (
    <details>
      <summary>Inputs of the execution</summary>
      <div className="indent">
        <Value value={inputs} />
      </div>
    </details>
  );
}

/** The nodes that a gate comes after, the nearest first: those right before it, and those before them. */
function nodesBefore(execution: ExecutionView, view: WaitingView): NodeView[] {
  const byId = new Map(execution.nodes.map((node) => [node.id, node]));
  const gate = gateAt(execution, view.node, view.path);
  const found = new Map<string, NodeView>();
  let edge = gate?.upstream ?? [];
  for (let steps = 0; steps < 3 && edge.length > 0; steps += 1) {
    const nodes = edge
      .map((id) => byId.get(id))
      .filter((node) => node !== undefined && !found.has(node.id)) as NodeView[];
    nodes
      .filter((node) => node.phase === 'SUCCEEDED' && node.kind !== 'sleep')
      .forEach((node) => found.set(node.id, node));
    edge = nodes.flatMap((node) => node.upstream);
  }
  return [...found.values()];
}
