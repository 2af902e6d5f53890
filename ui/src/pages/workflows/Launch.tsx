/** The form that launches a workflow, or an execution of it again, with other inputs. */
import { Alert, Button, Group, Kbd, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { dropDraft, readDraft, useKeptDraft } from '../../answer/draft';
import { ApiError, call, get, segments } from '../../api/client';
import type { Json, JsonObject } from '../../api/json';
import { executionQuery } from '../../api/queries';
import { mayOperate } from '../../api/rights';
import { sessionQuery } from '../../api/session';
import type { ExecutionPage, ExecutionView, FaultDocument, WorkflowView } from '../../api/types';
import { useConnection } from '../../app/connection';
import { IconPlay } from '../../app/icons';
import { Faults, SchemaForm, useSchemaForm, type FormValue } from '../../form/SchemaForm';
import { seen } from '../../seen/seen';
import { Ago } from '../../show/time';
import { LinkAnchor } from '../links';
import { fitting, schemaOf } from './inputs';
import { idFor, launched } from './launchIds';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** `from` is the execution that is launched again. */
export function Launch({ workflow, from }: { workflow: WorkflowView; from: string | undefined }) {
  const session = useQuery(sessionQuery);
  const origin = useQuery({ ...executionQuery(from ?? ''), enabled: from !== undefined });
  if (session.data && !mayOperate(session.data.grants)) return <Refused name={session.data.name} />;
  if (from === undefined) return <LaunchForm workflow={workflow} origin={undefined} />;
  if (origin.data) return <LaunchForm workflow={workflow} origin={origin.data} />;
  if (origin.error)
    return (
      <Alert color="red" role="alert" title={`The inputs of ${from} could not be read`}>
        {origin.error.message}
      </Alert>
    );
  return <Skeleton h={180} aria-label="Loading" />;
}

function Refused({ name }: { name: string }) {
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        Launch
      </Title>
      <Text size="sm">
        {seen(name)} may look at this workflow, but not launch it. An administrator can grant the role <b>operator</b>.
      </Text>
    </Stack>
  );
}

/** Check inputs as a launch would, and launch nothing. */
async function checkInputs({ name, version }: WorkflowView, inputs: Json): Promise<FaultDocument[]> {
  const path = `/api/v1/workflows/${segments(name)}/check`;
  return (await call<{ faults: FaultDocument[] }>('POST', path, { inputs, version })).faults;
}

type Given = { workflow: WorkflowView; origin: ExecutionView | undefined };

/** What is typed is kept like the draft of an answer: a page that is loaded again begins with it. */
function useInputs({ workflow, origin }: Given) {
  const schema = useMemo(() => schemaOf(workflow), [workflow]);
  const key = `launch:${workflow.name}${origin ? `:${origin.id}` : ''}`;
  const [draft, setDraft] = useState(() => readDraft(key));
  const begin = origin ? fitting(workflow, origin.inputs ?? {}) : undefined;
  const form = useSchemaForm(schema, draft?.value ?? begin, { check: (inputs) => checkInputs(workflow, inputs) });
  useKeptDraft(key, { value: form.value, comment: '' }, form.changed || draft !== undefined);
  const discard = () => {
    form.setValue(begin);
    setDraft(undefined);
  };
  return { schema, key, form, isRestored: draft !== undefined, discard };
}

function useLaunch({ workflow, origin }: Given, key: string, form: FormValue) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ inputs, id }: { inputs: JsonObject; id: string }) => {
      const { name, version } = workflow;
      const body = { version, inputs, id: id || idFor(key, { version, inputs }) };
      return origin
        ? call<ExecutionView>('POST', `/api/v1/executions/${segments(origin.id)}/relaunch`, body)
        : call<ExecutionView>('POST', '/api/v1/executions', { workflow: name, ...body });
    },
    onSuccess: (view) => {
      launched(key);
      dropDraft(key);
      void navigate({ to: '/executions/$id', params: { id: view.id } });
    },
    onError: (error) => {
      if (error instanceof ApiError && error.faults.length > 0) form.setFaults(error.faults);
    },
  });
}

function LaunchForm(given: Given) {
  const { workflow, origin } = given;
  const { schema, key, form, isRestored, discard } = useInputs(given);
  const [id, setId] = useState('');
  const { since } = useConnection();
  const launch = useLaunch(given, key, form);
  const isIdGood = id === '' || ID.test(id);
  const submit = () => {
    if (launch.isPending || since !== undefined) return;
    const found = form.validated();
    if (found && isIdGood) launch.mutate({ inputs: found.value as JsonObject, id });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) submit();
      }}
    >
      <Stack gap="sm">
        <Title order={2} size="h4">
          {origin ? 'Relaunch' : 'Launch'}
        </Title>
        {origin && (
          <Text fz="sm" c="dimmed">
            With the inputs of{' '}
            <LinkAnchor to="/executions/$id" params={{ id: origin.id }} fz="sm">
              {origin.id}
            </LinkAnchor>
            , which you may change. Nothing of its results is kept.
          </Text>
        )}
        {isRestored ? (
          <Text fz="sm" role="status">
            What you typed here is restored.{' '}
            <Button size="compact-xs" variant="default" onClick={discard}>
              Discard it
            </Button>
          </Text>
        ) : (
          !origin && <LastInputs workflow={workflow} form={form} />
        )}
        {workflow.inputs.length === 0 ? (
          <Text c="dimmed">It takes no inputs.</Text>
        ) : (
          <SchemaForm schema={schema} form={form} label="Inputs" disabled={launch.isPending} onSubmit={submit} />
        )}
        <TextInput
          label="Id (optional)"
          description="Launching twice with the same id creates one execution."
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
          maxLength={64}
          error={
            isIdGood ? undefined : 'Letters, digits, dots, dashes and underscores; starting with a letter or a digit'
          }
        />
        {launch.error && form.faults.length === 0 && (
          <Text role="alert" c="var(--mantine-color-error)">
            {launch.error instanceof ApiError && launch.error.isUnreachable
              ? `${launch.error.message} Your input is kept. If the launch did arrive, launching again leads to it.`
              : launch.error.message}
          </Text>
        )}
        <Faults form={form} />
        <Button
          type="submit"
          loading={launch.isPending}
          disabled={since !== undefined || form.pending > 0}
          leftSection={<IconPlay size={16} />}
          rightSection={
            <Kbd size="xs" aria-hidden>
              Ctrl Enter
            </Kbd>
          }
        >
          {form.pending > 0 ? 'Launch after the upload' : origin ? 'Relaunch' : 'Launch'}
        </Button>
      </Stack>
    </form>
  );
}

/** The inputs of the execution that was launched last are one click away. */
function LastInputs({ workflow, form }: { workflow: WorkflowView; form: FormValue }) {
  const last = useLast(workflow.name);
  if (!last || workflow.inputs.length === 0) return null;
  return (
    <Group gap="xs">
      <Button size="compact-sm" variant="default" onClick={() => form.setValue(fitting(workflow, last.inputs ?? {}))}>
        Use the last inputs
      </Button>
      <Text fz="sm" c="dimmed">
        of <Ago at={last.launched} />
      </Text>
    </Group>
  );
}

/** The execution of a workflow that was launched last, if there is one. */
function useLast(workflow: string): ExecutionView | undefined {
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: ['workflows', workflow, 'last'],
    queryFn: async ({ signal }) => {
      const page = await get<ExecutionPage>('/api/v1/executions', { workflow, limit: 1 }, signal);
      const line = page.items[0];
      return line === undefined ? null : queries.fetchQuery(executionQuery(line.id));
    },
    staleTime: 0,
  });
  return data ?? undefined;
}
