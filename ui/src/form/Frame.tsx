/** What stands around a field: its name, what it takes, what is wrong with it. */
import type { ReactNode } from 'react';
import { IconAlert } from '../app/icons';
import { seen } from '../seen/seen';
import { hintOf } from './hints';
import { shapeOf, type Schema } from './shape';
import { useField, useForm, type FieldProps } from './state';

/** `isGroup` where the field is several controls, which name the label themselves. */
export function Frame({
  isGroup = false,
  help,
  children,
  ...props
}: FieldProps & { isGroup?: boolean; help?: ReactNode; children: ReactNode }) {
  const { root } = useForm();
  const { id, error, description } = useField(props);
  const { label, isCell, entry, optional, schema } = props;
  const hint = hintOf(schema, root, entry, optional !== undefined);
  return (
    <div className={isCell ? 'f f-cell' : isShort(schema, root) ? 'f f-short' : 'f'}>
      <div className="fl" dir="auto">
        {isGroup ? (
          <span id={`${id}-label`} className="fl-name">
            {seen(label)}
          </span>
        ) : (
          <label htmlFor={id} id={`${id}-label`} className="fl-name">
            {seen(label)}
          </label>
        )}
        {!isCell && (
          <span className="dim" id={`${id}-hint`}>
            {hint}
          </span>
        )}
        <Mark {...props} />
      </div>
      {description && !isCell && (
        <p className="hlp hlp-above" dir="auto">
          {seen(description)}
        </p>
      )}
      {children}
      {!isCell && <Fault id={id} reason={error} />}
      {help}
    </div>
  );
}

const SHORT: ReadonlySet<string> = new Set(['whole', 'number', 'decimal', 'date', 'time', 'instant', 'duration']);

/** Whether half of a line is enough. */
function isShort(schema: Schema, root: Schema): boolean {
  return SHORT.has(shapeOf(schema, root).kind);
}

/** That a value was suggested, until somebody changes it. */
export function Mark({ entry, isCell }: Pick<FieldProps, 'entry' | 'isCell'>) {
  const from = entry.kind === 'optional' ? (entry.of?.from ?? entry.from) : entry.from;
  if (from !== 'suggested' || isCell || entry.kind === 'record') return null;
  return (
    <span className="sug" title="Filled in as suggested; change it freely">
      <span aria-hidden>★ </span>suggested
    </span>
  );
}

export function Fault({ id, reason, name }: { id: string; reason: string | undefined; name?: string }) {
  if (!reason) return null;
  return (
    <p className="flt" id={`${id}-fault`}>
      <IconAlert size={14} />
      <span>
        {name && <b>{seen(name)}: </b>}
        {name ? reason : reason.charAt(0).toUpperCase() + reason.slice(1)}
      </span>
    </p>
  );
}
