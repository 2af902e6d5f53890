/** The field for any schema, and those that hold other fields. */
import { ActionIcon, Button, Fieldset, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { IconPlus, IconTrash } from '../app/icons';
import { isObject, type Json, type JsonObject } from '../api/json';
import { BlobField, BytesField, CHOOSABLE, FolderField } from './blobs';
import { check, keyOf, same } from './check';
import {
  ChoiceField,
  DurationField,
  JsonField,
  MomentField,
  NumberField,
  OptionalGroup,
  TextField,
  YES_NO,
} from './scalars';
import { initial, nameOf, resolve, shapeOf, type Schema } from './shape';
import { idOf, useBroken, useForm, type FieldProps } from './state';

export function Field(given: FieldProps) {
  const { root } = useForm();
  const props = { ...given, schema: resolve(given.schema, root) };
  const shape = shapeOf(props.schema, root);
  switch (shape.kind) {
    case 'boolean':
      return <ChoiceField {...props} choices={YES_NO} />;
    case 'choice':
      return <ChoiceField {...props} choices={shape.choices} />;
    case 'whole':
    case 'number':
      return <NumberField {...props} kind={shape.kind} />;
    case 'text':
      return <TextField {...props} format={shape.format} />;
    case 'decimal':
      return <TextField {...props} format="decimal" />;
    case 'date':
    case 'instant':
    case 'time':
      return <MomentField {...props} kind={shape.kind} />;
    case 'duration':
      return <DurationField {...props} />;
    case 'bytes':
      return <BytesField {...props} />;
    case 'blob':
      if (shape.of === 'directory') return <FolderField {...props} />;
      return CHOOSABLE.has(shape.of) ? (
        <BlobField {...props} of={shape.of} web={shape.web} />
      ) : (
        <JsonField {...props} />
      );
    case 'list':
      return <ListField {...props} items={shape.items} />;
    case 'tuple':
      return <TupleField {...props} items={shape.items} />;
    case 'record':
      return <RecordField {...props} parts={shape.parts} needed={shape.required} />;
    case 'map':
      return <MapField {...props} values={shape.values} />;
    case 'optional':
      return <OptionalField {...props} inner={shape.inner} />;
    case 'union':
      return <UnionField {...props} members={shape.members} />;
    case 'nothing':
    case 'constant':
      return null;
    case 'anything':
      return <JsonField {...props} />;
  }
}

function Part({
  label,
  path,
  children,
  required,
}: {
  label: string;
  path: FieldProps['path'];
  children: React.ReactNode;
  required: boolean;
}) {
  const { faults } = useForm();
  const fault = faults.get(keyOf(path));
  return (
    <Fieldset
      legend={
        <>
          {label}
          {required && (
            <span className="needed" aria-hidden>
              {' '}
              *
            </span>
          )}
        </>
      }
      className="part"
      id={idOf(path)}
      tabIndex={-1}
    >
      <Stack gap="sm">
        {fault && (
          <Text size="sm" c="var(--mantine-color-error)">
            {fault}
          </Text>
        )}
        {children}
      </Stack>
    </Fieldset>
  );
}

function RecordField({
  parts,
  needed,
  value,
  onChange,
  path,
  label,
  required,
  schema,
}: FieldProps & { parts: [string, Schema][]; needed: ReadonlySet<string> }) {
  const now = isObject(value) ? value : {};
  const set = (name: string, next: Json | undefined) => {
    const { [name]: _, ...rest } = now;
    onChange(next === undefined ? rest : { ...now, [name]: next });
  };
  return (
    <Part label={label} path={path} required={required}>
      {typeof schema.description === 'string' && (
        <Text size="sm" c="dimmed">
          {schema.description}
        </Text>
      )}
      {parts.map(([name, part]) => (
        <Field
          key={name}
          schema={part}
          value={now[name]}
          onChange={(next) => set(name, next)}
          path={[...path, name]}
          label={name}
          required={needed.has(name)}
        />
      ))}
    </Part>
  );
}

function ListField({ items, value, onChange, path, label, required, schema }: FieldProps & { items: Schema }) {
  const { root, disabled } = useForm();
  const now: (Json | undefined)[] = Array.isArray(value) ? value : [];
  // A place that has no value yet is undefined here; it is refused before it is sent.
  const set = (next: (Json | undefined)[]) => onChange(next as Json[]);
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : Infinity;
  return (
    <Part label={label} path={path} required={required}>
      {now.length === 0 && (
        <Text size="sm" c="dimmed">
          An empty list.
        </Text>
      )}
      {now.map((each, index) => (
        <Group key={`${now.length}-${index}`} align="flex-end" wrap="nowrap" gap="xs">
          <div className="grow">
            <Field
              schema={items}
              value={each}
              onChange={(next) => set(now.map((old, at) => (at === index ? next : old)))}
              path={[...path, index]}
              label={`${index + 1}.`}
              required={false}
            />
          </div>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={`Remove ${label} ${index + 1}`}
            disabled={disabled}
            onClick={() => set(now.filter((_, at) => at !== index))}
          >
            <IconTrash />
          </ActionIcon>
        </Group>
      ))}
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlus size={14} />}
        disabled={disabled || now.length >= most}
        onClick={() => set([...now, initial(items, root)])}
        style={{ alignSelf: 'flex-start' }}
      >
        Add one
      </Button>
    </Part>
  );
}

function TupleField({ items, value, onChange, path, label, required }: FieldProps & { items: Schema[] }) {
  const { root } = useForm();
  const now: (Json | undefined)[] = items.map(
    (item, index) => (Array.isArray(value) ? value[index] : undefined) ?? initial(item, root),
  );
  return (
    <Part label={label} path={path} required={required}>
      {items.map((item, index) => (
        <Field
          key={index}
          schema={item}
          value={now[index]}
          onChange={(next) => onChange(now.map((old, at) => (at === index ? next : old)) as Json[])}
          path={[...path, index]}
          label={`${index + 1}. ${nameOf(item, root)}`}
          required
        />
      ))}
    </Part>
  );
}

type Row = { key: string; value: Json | undefined };

function MapField({ values, value, onChange, path, label, required }: FieldProps & { values: Schema }) {
  const { root, disabled } = useForm();
  const [rows, setRows] = useState<Row[]>(() => rowsOf(value));
  const twice = rows.find((row, at) => rows.findIndex((other) => other.key === row.key) !== at);
  useBroken(path, twice && `The name "${twice.key}" is used twice`);
  useEffect(() => {
    if (!same(objectOf(rows), value ?? {})) setRows(rowsOf(value));
  }, [value, rows]);
  const set = (next: Row[]) => {
    setRows(next);
    onChange(objectOf(next));
  };
  return (
    <Part label={label} path={path} required={required}>
      {rows.length === 0 && (
        <Text size="sm" c="dimmed">
          Empty.
        </Text>
      )}
      {rows.map((row, index) => (
        <Group key={index} align="flex-end" wrap="nowrap" gap="xs">
          <TextInput
            label="Name"
            value={row.key}
            disabled={disabled}
            w="35%"
            onChange={(event) =>
              set(rows.map((old, at) => (at === index ? { ...old, key: event.currentTarget.value } : old)))
            }
          />
          <div className="grow">
            <Field
              schema={values}
              value={row.value}
              onChange={(next) => set(rows.map((old, at) => (at === index ? { ...old, value: next } : old)))}
              path={[...path, row.key]}
              label="Value"
              required
            />
          </div>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={`Remove ${row.key || 'this'}`}
            disabled={disabled}
            onClick={() => set(rows.filter((_, at) => at !== index))}
          >
            <IconTrash />
          </ActionIcon>
        </Group>
      ))}
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlus size={14} />}
        disabled={disabled}
        onClick={() => set([...rows, { key: '', value: initial(values, root) }])}
        style={{ alignSelf: 'flex-start' }}
      >
        Add one
      </Button>
    </Part>
  );
}

const rowsOf = (value: Json | undefined): Row[] =>
  isObject(value) ? Object.entries(value).map(([key, each]) => ({ key, value: each })) : [];
const objectOf = (rows: Row[]): JsonObject => Object.fromEntries(rows.map((row) => [row.key, row.value as Json]));

const GROUPED = new Set(['record', 'list', 'map', 'tuple', 'union', 'boolean', 'choice', 'anything', 'blob', 'bytes']);

function OptionalField({ inner, ...props }: FieldProps & { inner: Schema }) {
  const { root, disabled } = useForm();
  const { value, onChange, label } = props;
  const [asked, setAsked] = useState(false);
  const simple = !GROUPED.has(shapeOf(inner, root).kind);
  const plain = {
    ...props,
    required: false,
    schema: { ...inner, ...(props.schema.description ? { description: props.schema.description } : {}) },
  };
  if (simple)
    return (
      <Field
        {...plain}
        label={`${label} (optional)`}
        value={value === null ? undefined : value}
        onChange={(next) => onChange(next ?? null)}
      />
    );
  const given = asked || (value !== null && value !== undefined);
  return (
    <OptionalGroup
      label={`${label} (optional)`}
      given={given}
      disabled={disabled}
      onGive={() => {
        setAsked(true);
        onChange(initial(inner, root));
      }}
      onTake={() => {
        setAsked(false);
        onChange(null);
      }}
    >
      <Field {...plain} value={value === null ? undefined : value} />
    </OptionalGroup>
  );
}

function UnionField({ members, ...props }: FieldProps & { members: Schema[] }) {
  const { root, disabled } = useForm();
  const { value, onChange, label } = props;
  const [chosen, setChosen] = useState(() => fitting(members, root, value));
  const member = members[chosen] ?? {};
  return (
    <Stack gap="xs">
      <NativeSelect
        label={`${label}: kind`}
        disabled={disabled}
        value={String(chosen)}
        data={members.map((each, index) => ({ value: String(index), label: nameOf(each, root) }))}
        onChange={(event) => {
          const next = Number(event.currentTarget.value);
          setChosen(next);
          onChange(initial(members[next] ?? {}, root));
        }}
      />
      <Field key={chosen} {...props} schema={member} />
    </Stack>
  );
}

function fitting(members: Schema[], root: Schema, value: Json | undefined): number {
  if (value === undefined || value === null) return 0;
  return Math.max(
    0,
    members.findIndex((each) => check(each, root, value).length === 0),
  );
}
