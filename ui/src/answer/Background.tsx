/** What stands before a gate: the outputs and the reports of the nodes it comes after, and what the execution was given. */
import { Stack, Text } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { get, segments } from '../api/client';
import type { Json, JsonObject } from '../api/json';
import type { ExecutionView, NodeView, WaitingView } from '../api/types';
import { same } from '../form/check';
import { Value } from '../show/Value';

/** A node before the gate, with its output; `output` is undefined where there is none that the question does not show already. */
export type Before = { node: NodeView; output: Json | undefined };

export type Background = { before: Before[]; inputs: JsonObject };

const NOTHING: Background = { before: [], inputs: {} };

/** Milliseconds for which the dialog waits for it, so that its layout is right from the start and never changes. */
const PATIENCE_MS = 300;

/** Return what stands before a gate, and whether it is known, or has taken so long that the question is shown without it. */
export function useBackground(view: WaitingView): Background & { isSettled: boolean } {
  const { data, isFetched } = useQuery(pathQuery(view.execution, view.node));
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setIsLate(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  const background = useMemo(() => (data ? backgroundOf(data, view) : NOTHING), [data, view]);
  return { ...background, isSettled: isFetched || isLate };
}

/** The nodes on the way to a gate, nearest first. They have ended, so they are asked for once; many gates of one execution share one request. */
type Path = { nodes: NodeView[]; inputs: JsonObject };

function pathQuery(execution: string, node: string) {
  return queryOptions({
    queryKey: ['background', execution, node],
    queryFn: async ({ client, signal }): Promise<Path> => {
      const has = (one: ExecutionView | undefined) => one?.nodes.some((each) => each.id === node) === true;
      const known = [['execution', execution], KEPT(execution)].map((key) => client.getQueryData<ExecutionView>(key));
      let whole = known.find(has);
      if (whole === undefined) {
        whole = await get<ExecutionView>(`/api/v1/executions/${segments(execution)}`, { questions: 0 }, signal);
        client.setQueryData(KEPT(execution), whole);
      }
      return { nodes: nodesBefore(whole, node), inputs: whole.inputs ?? {} };
    },
    staleTime: Infinity,
    enabled: node !== '',
  });
}

const KEPT = (execution: string) => ['background', execution];

function backgroundOf({ nodes, inputs }: Path, view: WaitingView): Background {
  const shown = [view.value, ...Object.values(view.show)];
  const isShown = (value: Json | undefined) =>
    shown.some((each) => each !== undefined && value !== undefined && same(each, value));
  const before = nodes
    .map((node): Before => {
      const output = outputOf(node);
      return { node, output: isShown(output) ? undefined : output };
    })
    .filter(({ node, output }) => output !== undefined || node.deck);
  return { before, inputs };
}

/** What a node gave: the value itself, where it has one output only. */
function outputOf({ outputs }: NodeView): Json | undefined {
  const values = Object.values(outputs ?? {});
  return values.length > 1 ? (outputs ?? {}) : values[0];
}

/** Outputs of the nodes before, the nearest first and open. */
export function Outputs({ before }: { before: Before[] }) {
  return (
    <Stack gap="sm">
      {before.map(
        ({ node, output }, index) =>
          output !== undefined && (
            <details key={node.id} open={index === 0}>
              <summary>
                Output of {node.name}
                {node.answer ? `, answered by ${node.answer.who}` : ''}
              </summary>
              <div className="an-indent">
                <Value value={output} />
              </div>
              {node.answer?.comment && (
                <Text size="sm" c="dimmed" dir="auto">
                  “{node.answer.comment}”
                </Text>
              )}
            </details>
          ),
      )}
    </Stack>
  );
}

/** The nodes that a gate comes after, the nearest first: those right before it, and those before them. */
function nodesBefore(execution: ExecutionView, gate: string): NodeView[] {
  const byId = new Map(execution.nodes.map((node) => [node.id, node]));
  const found = new Map<string, NodeView>();
  let edge = byId.get(gate)?.upstream ?? [];
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
