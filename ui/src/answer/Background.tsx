/** What stands before a gate: the outputs of the nodes it comes after, and what the execution was given. */
import { Loader, Stack, Text } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { get, segments } from '../api/client';
import type { Json, JsonObject } from '../api/json';
import type { ExecutionView, NodeView } from '../api/types';
import { same } from '../form/check';
import { Value } from '../show/Value';
import type { Asked } from './view';

/** Milliseconds for which the dialog waits until it is known, so that its layout is right from the start and never changes. */
const PATIENCE_MS = 300;

/** Whether it is known what stands before a gate, or has taken so long that the question is shown without it. */
export function useIsSettled(isKnown: boolean): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setIsLate(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return isKnown || isLate;
}

/** The nodes on the way to a gate, nearest first. They have ended, so they are asked for once; many gates of one execution share one request. */
type Path = { nodes: NodeView[]; inputs: JsonObject };

/** Asked for only when somebody looks at it: most decide without. */
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
  });
}

const KEPT = (execution: string) => ['background', execution];

type BehindProps = { view: Asked; children: (path: Path) => ReactNode };

/** What is fetched once it is shown. */
function Behind({ view, children }: BehindProps) {
  const { data, error } = useQuery(pathQuery(view.execution, view.node));
  if (data) return children(data);
  if (error)
    return (
      <Text size="sm" c="red" role="alert">
        {error.message}
      </Text>
    );
  return <Loader size="sm" aria-label="Loading" />;
}

/** The inputs of the execution. */
export function Inputs({ view }: { view: Asked }) {
  return <Behind view={view}>{({ inputs }) => <Value value={inputs} />}</Behind>;
}

/** Outputs of the nodes before, the nearest first and open; without what the question shows itself. */
export function Outputs({ view }: { view: Asked }) {
  return (
    <Behind view={view}>
      {({ nodes }) => (
        <Stack gap="sm">
          {unshown(nodes, view).map(({ node, output }, index) => (
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
          ))}
        </Stack>
      )}
    </Behind>
  );
}

function unshown(nodes: NodeView[], view: Asked): { node: NodeView; output: Json }[] {
  const shown = [view.value, ...Object.values(view.show)];
  const isShown = (value: Json) => shown.some((each) => each !== undefined && same(each, value));
  return nodes.flatMap((node) => {
    const output = outputOf(node);
    return output === undefined || isShown(output) ? [] : [{ node, output }];
  });
}

/** What a node gave: the value itself, where it has one output only. */
function outputOf({ outputs }: NodeView): Json | undefined {
  const values = Object.values(outputs ?? {});
  return values.length > 1 ? (outputs ?? {}) : values[0];
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
