import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { freshKey } from '../../answer/send';
import { ApiError, call, get } from '../../api/client';
import type { JsonObject } from '../../api/json';
import { executionQuery } from '../../api/queries';
import type { ExecutionPage, ExecutionView, WorkflowView } from '../../api/types';
import { IconPlay } from '../../app/icons';
import { Faults, SchemaForm, useSchemaForm } from '../../form/SchemaForm';
import { Ago } from '../../show/time';
import { defaultsOf, fitting, schemaOf } from './inputs';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The form that launches a workflow; what was given the last time is one click away. */
export function Launch({ workflow }: { workflow: WorkflowView }) {
  const schema = useMemo(() => schemaOf(workflow), [workflow]);
  const form = useSchemaForm(schema, defaultsOf(workflow));
  const [id, setId] = useState('');
  const made = useRef({ inputs: '', id: '' });
  /** The same inputs again have the same id until one was launched, so that a lost reply repeats nothing. */
  const idFor = (inputs: JsonObject): string => {
    const body = JSON.stringify(inputs);
    if (made.current.inputs !== body) made.current = { inputs: body, id: freshKey() };
    return made.current.id;
  };
  const navigate = useNavigate();
  const last = useLast(workflow.name);
  const launch = useMutation({
    mutationFn: (inputs: JsonObject) =>
      call<ExecutionView>('POST', '/api/v1/executions', {
        workflow: workflow.name,
        version: workflow.version,
        inputs,
        id: id || idFor(inputs),
      }),
    onSuccess: (view) => void navigate({ to: '/executions/$id', params: { id: view.id } }),
    onError: (error) => {
      if (!(error instanceof ApiError) || error.faults.length === 0) return;
      form.setFaults(error.faults);
    },
  });
  const isIdGood = id === '' || ID.test(id);
  const submit = () => {
    const found = form.validated();
    if (found && isIdGood) launch.mutate(found.value as JsonObject);
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
      }}
    >
      <Stack>
        <Title order={2} size="h4">
          Launch
        </Title>
        {last && workflow.inputs.length > 0 && (
          <Group gap="xs">
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => form.setValue({ ...defaultsOf(workflow), ...fitting(workflow, last.inputs ?? {}) })}
            >
              Use the last inputs
            </Button>
            <Text fz="sm" c="dimmed">
              of <Ago at={last.launched} />
            </Text>
          </Group>
        )}
        {workflow.inputs.length === 0 ? (
          <Text c="dimmed">It takes no inputs.</Text>
        ) : (
          <SchemaForm schema={schema} form={form} label="Inputs" disabled={launch.isPending} />
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
            {launch.error.message}
            {launch.error instanceof ApiError && launch.error.isUnreachable && ' Your input is kept.'}
          </Text>
        )}
        <Faults form={form} />
        <Button type="submit" loading={launch.isPending} leftSection={<IconPlay size={16} />}>
          Launch
        </Button>
      </Stack>
    </form>
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
