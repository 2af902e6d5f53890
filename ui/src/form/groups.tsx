/** Fields that hold other fields. */
import type { ReactNode } from 'react';
import { IconPlus, IconTrash } from '../app/icons';
import { seen } from '../seen/seen';
import { keyOf } from './check';
import { blank, isOneField, withOne, mayBeAbsent, type Entry } from './entry';
import { Fault, Mark } from './Frame';
import { hintOf } from './hints';
import { JsonField } from './texts';
import { nameOf, resolve, shapeOf, type Schema } from './shape';
import { idOf, useForm, type FieldProps } from './state';

export const LEFT_OUT = 'left out: its default is used';
export const NOT_SET = 'not set (None)';

/** A group of fields with a name. Only a record inside the form has a border; the form itself has no name of its own to tell. */
export function Part({ children, ...props }: FieldProps & { children: ReactNode }) {
  const { id: form, faults, root } = useForm();
  const { label, path, entry, schema, optional } = props;
  const id = idOf(form, path);
  const description = typeof schema.description === 'string' ? schema.description : '';
  const isRecord = shapeOf(schema, root).kind === 'record';
  return (
    <fieldset
      className={isRecord && path.length > 0 ? 'part part-record' : 'part'}
      id={id}
      tabIndex={-1}
      aria-labelledby={`${id}-label`}
    >
      <legend className={isRecord && path.length === 0 ? 'vh' : 'fl'} dir="auto">
        <span className="fl-name" id={`${id}-label`}>
          {seen(label)}
        </span>{' '}
        <span className="dim">{hintOf(schema, root, entry, optional !== undefined)}</span> <Mark {...props} />
      </legend>
      {description && (
        <p className="hlp hlp-above" dir="auto">
          {seen(description)}
        </p>
      )}
      <Fault id={id} reason={faults.get(keyOf(path))} />
      {children}
    </fieldset>
  );
}

export function RecordField(props: FieldProps & { parts: [string, Schema][]; needed: ReadonlySet<string> }) {
  const { parts, needed, ...field } = props;
  const { entry } = field;
  if (entry.kind !== 'record') return <Misfit {...field} />;
  return (
    <Part {...field}>
      <div className="parts">
        {parts.map(([name, part]) => (
          <RecordPart key={name} of={field} name={name} part={part} isNeeded={needed.has(name)} />
        ))}
      </div>
    </Part>
  );
}

/** One part of a record. */
export function RecordPart({
  of,
  name,
  part,
  isNeeded,
  isCell = false,
}: {
  of: FieldProps;
  name: string;
  part: Schema;
  isNeeded: boolean;
  isCell?: boolean;
}) {
  const { root, Field } = useForm();
  const entry = of.entry.kind === 'record' ? of.entry.parts[name] : undefined;
  if (!entry) return null;
  const props = { schema: part, entry, at: [...of.at, name], path: [...of.path, name], label: name, isCell };
  return mayBeAbsent(part, root, isNeeded) ? (
    <OptionalField {...props} inner={part} none={undefined} />
  ) : (
    <Field {...props} />
  );
}

/** A value that may be left out, or be nothing: one field that may stay empty, or a group that is there once it is asked for. */
export function OptionalField({ inner, none, ...props }: FieldProps & { inner: Schema; none: null | undefined }) {
  const { root, dispatch, disabled, Field } = useForm();
  const { entry, at, label, schema } = props;
  if (entry.kind !== 'optional') return <Misfit {...props} />;
  const optional = none === null ? NOT_SET : LEFT_OUT;
  const resolved = resolve(inner, root);
  const described = schema.description ? { ...resolved, description: schema.description } : resolved;
  const held = { ...props, schema: described, at: [...at, null], optional };
  if (isOneField(inner, root) && entry.of) return <Field {...held} entry={entry.of} />;
  const put = (of: Entry | undefined) => dispatch({ type: 'put', at, entry: { kind: 'optional', none, of } });
  if (entry.of)
    return (
      <div className="given">
        <Field {...held} entry={entry.of} />
        <button type="button" className="link hlp" disabled={disabled} onClick={() => put(undefined)}>
          Leave {label} out
        </button>
      </div>
    );
  const shape = shapeOf(inner, root);
  const items = shape.kind === 'list' ? shape.items : shape.kind === 'map' ? shape.values : undefined;
  if (items)
    return (
      <Part {...held}>
        <p className="dim none">{optional}</p>
        <AddButton label={label} onAdd={() => put(withOne(shape.kind === 'map', blank(items, root)))} />
      </Part>
    );
  return (
    <div className="f">
      <div className="fl">
        <span className="fl-name">{seen(label)}</span>
        <span className="dim">optional</span>
      </div>
      <div className="f-row">
        <button type="button" className="btn" disabled={disabled} onClick={() => put(blank(inner, root))}>
          Give a value
        </button>
        <span className="dim">{optional}</span>
      </div>
    </div>
  );
}

export function TupleField({ items, ...props }: FieldProps & { items: Schema[] }) {
  const { root, Field } = useForm();
  const { entry, at, path } = props;
  if (entry.kind !== 'list') return <Misfit {...props} />;
  return (
    <Part {...props}>
      <div className="parts">
        {entry.items.map(({ id, of }, index) => (
          <Field
            key={id}
            schema={items[index] ?? {}}
            entry={of}
            at={[...at, index]}
            path={[...path, index]}
            label={`${index + 1}. ${nameOf(items[index] ?? {}, root)}`}
          />
        ))}
      </div>
    </Part>
  );
}

export function MapField({ values, ...props }: FieldProps & { values: Schema }) {
  const { id: form, root, dispatch, disabled, Field } = useForm();
  const { entry, at, path, label } = props;
  if (entry.kind !== 'map') return <Misfit {...props} />;
  return (
    <Part {...props}>
      {entry.rows.map((row, index) => {
        const isFirst = entry.rows.findIndex(({ name }) => name === row.name) === index;
        const own = [...path, row.name, ...(isFirst ? [] : [`row ${index}`])];
        return (
          <div className="map-row" key={row.id}>
            <div className="f">
              <label className="fl fl-name" htmlFor={`${idOf(form, own)}--name`}>
                Name
              </label>
              <input
                className="in"
                id={`${idOf(form, own)}--name`}
                dir="auto"
                value={row.name}
                disabled={disabled}
                onChange={(event) => dispatch({ type: 'renamed', at, index, name: event.currentTarget.value })}
              />
            </div>
            <Field schema={values} entry={row.of} at={[...at, index]} path={own} label="Value" />
            <RemoveButton
              label={`Remove ${row.name || `entry ${index + 1}`}`}
              onRemove={() => dispatch({ type: 'removed', at, index })}
            />
          </div>
        );
      })}
      <AddButton onAdd={() => dispatch({ type: 'added', at, entry: blank(values, root) })} label={label} />
    </Part>
  );
}

export function UnionField({ members, ...props }: FieldProps & { members: Schema[] }) {
  const { root, dispatch, disabled, Field, id: form } = useForm();
  const { entry, at, label, path } = props;
  if (entry.kind !== 'union') return <Misfit {...props} />;
  const choose = (member: number) =>
    dispatch({ type: 'put', at, entry: { kind: 'union', member, of: blank(members[member] ?? {}, root) } });
  return (
    <div className="union">
      <div className="f">
        <label className="fl fl-name" htmlFor={`${idOf(form, path)}--kind`}>
          {label}: kind
        </label>
        <select
          className="in"
          id={`${idOf(form, path)}--kind`}
          disabled={disabled}
          value={entry.member}
          onChange={(event) => choose(Number(event.currentTarget.value))}
        >
          {members.map((each, index) => (
            <option key={index} value={index}>
              {nameOf(each, root)}
            </option>
          ))}
        </select>
      </div>
      <Field {...props} schema={members[entry.member] ?? {}} entry={entry.of} at={[...at, null]} />
    </div>
  );
}

/** What was given does not fit its type: it is there as JSON. */
export function Misfit(props: FieldProps) {
  return <JsonField {...props} />;
}

export function AddButton({ label, onAdd, isFull = false }: { label: string; onAdd: () => void; isFull?: boolean }) {
  const { disabled } = useForm();
  return (
    <button
      type="button"
      className="btn add"
      disabled={disabled || isFull}
      onClick={(event) => {
        const group = event.currentTarget.closest('fieldset');
        onAdd();
        focusLast(group);
      }}
    >
      <IconPlus size={14} /> Add one<span className="vh"> to {seen(label)}</span>
    </button>
  );
}

const CONTROLS = 'input:not([hidden]):not([disabled]), textarea, select, .up button';

/** Move to the first field of what was added. */
function focusLast(group: HTMLElement | null): void {
  requestAnimationFrame(() => {
    const rows = group?.querySelectorAll(':scope > .map-row, :scope > .its > .it, :scope > ul > li');
    rows
      ?.item(rows.length - 1)
      ?.querySelector<HTMLElement>(CONTROLS)
      ?.focus();
  });
}

export function RemoveButton({ label, onRemove }: { label: string; onRemove: () => void }) {
  const { disabled } = useForm();
  return (
    <button
      type="button"
      className="btn btn-quiet btn-square"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={(event) => {
        const group = event.currentTarget.closest('fieldset');
        onRemove();
        requestAnimationFrame(() => group?.querySelector<HTMLElement>(':scope > .add')?.focus());
      }}
    >
      <IconTrash size={16} />
    </button>
  );
}

/** Whether a record is small enough to be a row of a table. */
export function isRow(given: Schema, root: Schema): boolean {
  const shape = shapeOf(given, root);
  return (
    shape.kind === 'record' &&
    shape.parts.length > 0 &&
    shape.parts.length <= CELLS &&
    shape.parts.every(([, part]) => isCellOf(part, root))
  );
}

const CELLS = 4;
const CHOICES = 4;
const CELL_KINDS: ReadonlySet<string> = new Set(['whole', 'number', 'decimal', 'text', 'date', 'time', 'boolean']);

function isCellOf(part: Schema, root: Schema): boolean {
  const shape = shapeOf(part, root);
  if (shape.kind === 'choice') return shape.choices.length <= CHOICES;
  return shape.kind === 'optional' ? isCellOf(shape.inner, root) : CELL_KINDS.has(shape.kind);
}
