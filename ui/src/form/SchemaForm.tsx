/** A form for any schema: its fields, or the same value as JSON. */
import { useMemo, useState, type KeyboardEvent } from 'react';
import { IconAlert } from '../app/icons';
import { keyOf, spellPath } from './check';
import { read, valueOf } from './entry';
import { Field } from './Field';
import './form.css';
import './choices.css';
import './controls.css';
import { JsonField } from './texts';
import { shapeOf, type Schema } from './shape';
import { FormScopeProvider, type FormScope } from './state';
import { isSingle, onEnter } from './enter';
import type { FormValue } from './useSchemaForm';

export { useSchemaForm, type Check, type FormValue } from './useSchemaForm';
export { isSingle } from './enter';

const MOST_FAULTS = 8;

/** Why it was not sent, each fault with the way to its field. */
export function Faults({ form }: { form: FormValue }) {
  const { faults, focus, state } = form;
  if (faults.length === 0 || !state.refused) return null;
  return (
    <div className="note note-bad" role="alert">
      <IconAlert size={16} />
      <div>
        <b>Not sent: {faults.length === 1 ? '1 field needs a change.' : `${faults.length} fields need a change.`}</b>
        <ul>
          {faults.slice(0, MOST_FAULTS).map(({ path, reason }) => (
            <li key={keyOf(path) + reason}>
              <button type="button" className="link fault" onClick={() => focus(path)}>
                {path.length > 0 && <b>{spellPath(path)}: </b>}
                {reason}
              </button>
            </li>
          ))}
        </ul>
        {faults.length > MOST_FAULTS && <span className="dim">and {faults.length - MOST_FAULTS} more</span>}
      </div>
    </div>
  );
}

/** `onSubmit` is called for Ctrl+Enter, and for Enter where there is one field only. */
export function SchemaForm({
  schema,
  form,
  label,
  disabled = false,
  onSubmit,
}: {
  schema: Schema;
  form: FormValue;
  label: string;
  disabled?: boolean;
  onSubmit?: () => void;
}) {
  const { id, state, dispatch, uploads, pending } = form;
  const [asJson, setAsJson] = useState(false);
  const faults = useMemo(() => new Map(state.faults.map((each) => [keyOf(each.path), each.reason])), [state.faults]);
  const scope: FormScope = {
    id,
    root: schema,
    uploads: state.uploads,
    dispatch,
    faults,
    disabled,
    ...uploads,
    Field,
  };
  const turn = () => {
    const value = valueOf(state.entry);
    const entry = asJson ? read(schema, schema, value, undefined) : ({ kind: 'leaf', value } as const);
    dispatch({ type: 'replaced', entry, changed: state.changed });
    setAsJson(!asJson);
  };
  const isBroken = asJson && state.entry.kind === 'leaf' && state.entry.wrong !== undefined;
  const props = { schema, entry: state.entry, at: [], path: [], label };
  const isOther = shapeOf(schema, schema).kind !== 'anything';
  return (
    <FormScopeProvider value={scope}>
      <div
        className="form"
        onKeyDown={(event: KeyboardEvent<HTMLElement>) => onEnter(event, isSingle(schema) && !asJson, onSubmit)}
        onBlur={form.look}
      >
        {asJson ? <JsonField {...props} schema={{}} /> : <Field {...props} />}
        {isOther && (
          <button
            type="button"
            className="btn btn-quiet btn-small as-json"
            role="switch"
            aria-checked={asJson}
            disabled={disabled || pending > 0 || isBroken}
            onClick={turn}
          >
            Edit as JSON
          </button>
        )}
      </div>
    </FormScopeProvider>
  );
}
