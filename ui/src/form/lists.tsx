/** Lists: rows of a table where the items are small records, one line each where they are single fields, else cards. */
import type { CSSProperties } from 'react';
import { seen } from '../seen/seen';
import { keyOf, type Path } from './check';
import { blank, isOneField, type ListEntry } from './entry';
import { Fault } from './Frame';
import { AddButton, isRow, Misfit, NOT_SET, Part, RecordPart, RemoveButton } from './groups';
import { resolve, shapeOf, YES_NO, type Schema } from './shape';
import { idOf, useForm, type FieldProps } from './state';

export function ListField({ items, ...props }: FieldProps & { items: Schema }) {
  const { root, dispatch } = useForm();
  const { entry, at, label, schema } = props;
  if (entry.kind !== 'list') return <Misfit {...props} />;
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : Infinity;
  return (
    <Part {...props}>
      {entry.items.length === 0 ? (
        <p className="dim none">An empty list.</p>
      ) : (
        <Items {...props} entry={entry} items={items} />
      )}
      <AddButton
        label={label}
        isFull={entry.items.length >= most}
        onAdd={() => dispatch({ type: 'added', at, entry: blank(items, root) })}
      />
    </Part>
  );
}

function Items(props: Omit<FieldProps, 'entry'> & { entry: ListEntry; items: Schema }) {
  const { root } = useForm();
  const item = resolve(props.items, root);
  if (isRow(item, root)) return <Rows {...props} items={item} />;
  return <Cards {...props} isOneLine={isOneField(item, root)} />;
}

/** How wide a column is: text takes what is left. */
function widthOf(part: Schema, root: Schema): string {
  const shape = shapeOf(part, root);
  const kind = shape.kind === 'optional' ? shapeOf(shape.inner, root).kind : shape.kind;
  switch (kind) {
    case 'text':
      return 'minmax(120px, 3fr)';
    case 'choice':
    case 'boolean':
      return widthOfChoices(part, root);
    case 'date':
      return '140px';
    default:
      return 'minmax(64px, 1fr)';
  }
}

const LETTER_PX = 8;
const CHOICE_PX = 24;
const WIDEST_PX = 280;

/** Wide enough for all choices beside each other, as far as there is room for them. */
function widthOfChoices(part: Schema, root: Schema): string {
  const shape = shapeOf(part, root);
  const inner = shape.kind === 'optional' ? shapeOf(shape.inner, root) : shape;
  const labels = (inner.kind === 'choice' ? inner.choices : YES_NO).map((each) => each.label);
  if (shape.kind === 'optional') labels.push(NOT_SET);
  const width = labels.reduce((sum, label) => sum + CHOICE_PX + LETTER_PX * label.length, 0);
  return `minmax(0, ${Math.min(width, WIDEST_PX)}px)`;
}

function Rows(props: Omit<FieldProps, 'entry'> & { entry: ListEntry; items: Schema }) {
  const { root, dispatch, faults, id: form } = useForm();
  const { entry, at, path, label, items } = props;
  const shape = shapeOf(items, root);
  if (shape.kind !== 'record') return null;
  const columns = shape.parts.map(([, part]) => widthOf(part, root)).join(' ');
  const style = { '--columns': columns } as CSSProperties;
  return (
    <>
      <div className="ir ir-head" style={style} aria-hidden>
        <span />
        {shape.parts.map(([name]) => (
          <span key={name}>{seen(name)}</span>
        ))}
        <span />
      </div>
      <div className="its">
        {entry.items.map(({ id, of }, index) => {
          const own = { schema: items, entry: of, at: [...at, index], path: [...path, index], label: `${index + 1}.` };
          const said = shape.parts
            .map(([name]): [string, Path] => [name, [...own.path, name]])
            .filter(([, where]) => faults.has(keyOf(where)));
          const whole = faults.get(keyOf(own.path));
          return (
            <div
              key={id}
              id={idOf(form, own.path)}
              tabIndex={-1}
              className={said.length > 0 || whole ? 'it it-bad' : 'it'}
              role="group"
              aria-label={`${seen(label)} ${index + 1}`}
            >
              <div className="ir" style={style}>
                <span className="ir-no num" aria-hidden>
                  {index + 1}
                </span>
                {of.kind === 'record' ? (
                  shape.parts.map(([name, part]) => (
                    <RecordPart
                      key={name}
                      of={own}
                      name={name}
                      part={part}
                      isNeeded={shape.required.has(name)}
                      isCell
                    />
                  ))
                ) : (
                  <Misfit {...own} />
                )}
                <RemoveButton
                  label={`Remove ${label} ${index + 1}`}
                  onRemove={() => dispatch({ type: 'removed', at, index })}
                />
              </div>
              <Fault id={idOf(form, own.path)} reason={whole} />
              {said.map(([name, where]) => (
                <Fault key={name} id={idOf(form, where)} name={name} reason={faults.get(keyOf(where))} />
              ))}
            </div>
          );
        })}
      </div>
    </>
  );
}

function Cards(props: Omit<FieldProps, 'entry'> & { entry: ListEntry; items: Schema; isOneLine: boolean }) {
  const { dispatch, Field } = useForm();
  const { entry, at, path, label, items, isOneLine } = props;
  return (
    <ul className={isOneLine ? 'lines' : 'cards'}>
      {entry.items.map(({ id, of }, index) => (
        <li key={id}>
          <Field schema={items} entry={of} at={[...at, index]} path={[...path, index]} label={`${index + 1}.`} />
          <RemoveButton
            label={`Remove ${label} ${index + 1}`}
            onRemove={() => dispatch({ type: 'removed', at, index })}
          />
        </li>
      ))}
    </ul>
  );
}
