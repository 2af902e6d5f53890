/** A form for any schema: its fields, or the same value as JSON. */
import { Alert, Anchor, Switch } from '@mantine/core';
import { useMemo, useRef, useState } from 'react';
import type { Json } from '../api/json';
import type { FaultDocument } from '../api/types';
import { check, keyOf, spellPath } from './check';
import { Field } from './Field';
import { JsonField } from './scalars';
import { initial, shapeOf, type Schema } from './shape';
import { FormContext, idOf } from './state';

const MOST_FAULTS = 8;

export type FormValue = {
  value: Json | undefined;
  setValue: (value: Json | undefined) => void;
  /** Look at the value; undefined, and the faults at their fields, if it cannot be sent. */
  validated: () => { value: Json } | undefined;
  faults: FaultDocument[];
  setFaults: (faults: FaultDocument[]) => void;
  broken: Map<string, string>;
};

/** The state of a form: what is in it, and what is wrong with it. */
export function useSchemaForm(schema: Schema, begin: Json | undefined): FormValue {
  const [value, setValue] = useState<Json | undefined>(() => begin ?? initial(schema, schema));
  const [faults, setFaults] = useState<FaultDocument[]>([]);
  const broken = useRef(new Map<string, string>()).current;
  const validated = () => {
    const found = [...broken].map(([path, reason]): FaultDocument => ({
      path: JSON.parse(path) as FaultDocument['path'],
      reason,
    }));
    found.push(...check(schema, schema, value).filter(({ path }) => !broken.has(keyOf(path))));
    setFaults(found);
    if (found[0]) focusField(found[0].path);
    return found.length === 0 && value !== undefined ? { value } : undefined;
  };
  return {
    value,
    setValue: (next) => {
      setFaults([]);
      setValue(next);
    },
    validated,
    faults,
    setFaults,
    broken,
  };
}

/** What is wrong, each with the way to its field. */
export function Faults({ faults }: { faults: FaultDocument[] }) {
  if (faults.length === 0) return null;
  return (
    <Alert color="red" role="alert" title={faults.length === 1 ? 'One thing to fix' : `${faults.length} things to fix`}>
      {faults.slice(0, MOST_FAULTS).map(({ path, reason }) => (
        <Anchor
          key={keyOf(path) + reason}
          component="button"
          type="button"
          size="sm"
          className="fault"
          onClick={() => focusField(path)}
        >
          {path.length > 0 && <b>{spellPath(path)}: </b>}
          {reason}
        </Anchor>
      ))}
    </Alert>
  );
}

/** Move to the field at a path, or to the nearest around it. */
export function focusField(path: (string | number)[]): void {
  requestAnimationFrame(() => {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = document.getElementById(idOf(path.slice(0, length)));
      if (found) {
        found.focus();
        return;
      }
    }
  });
}

export function SchemaForm({
  schema,
  form,
  label,
  disabled = false,
}: {
  schema: Schema;
  form: FormValue;
  label: string;
  disabled?: boolean;
}) {
  const [asJson, setAsJson] = useState(false);
  const faults = useMemo(() => new Map(form.faults.map((each) => [keyOf(each.path), each.reason])), [form.faults]);
  const shape = shapeOf(schema, schema).kind;
  const props = { schema, value: form.value, onChange: form.setValue, path: [], label, required: true };
  return (
    <FormContext.Provider value={{ root: schema, faults, broken: form.broken, disabled }}>
      {asJson ? <JsonField {...props} /> : <Field {...props} />}
      {shape !== 'anything' && (
        <Switch
          mt="sm"
          size="xs"
          label="Edit as JSON"
          checked={asJson}
          disabled={disabled}
          onChange={(event) => {
            form.broken.clear();
            setAsJson(event.currentTarget.checked);
          }}
        />
      )}
    </FormContext.Provider>
  );
}
