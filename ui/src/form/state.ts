import { createContext, useContext, useEffect } from 'react';
import type { Json } from '../api/json';
import { keyOf, type Path } from './check';
import type { Schema } from './shape';

export type FormState = {
  root: Schema;
  /** What is wrong, by `keyOf` the path. */
  faults: ReadonlyMap<string, string>;
  /** Fields whose text is not a value yet, and why. */
  broken: Map<string, string>;
  disabled: boolean;
};

export const FormContext = createContext<FormState>({
  root: {},
  faults: new Map(),
  broken: new Map(),
  disabled: false,
});

export const useForm = (): FormState => useContext(FormContext);

export type FieldProps = {
  schema: Schema;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  path: Path;
  label: string;
  required: boolean;
};

/** What every input has in common: its id, its name, whether it is needed, and what is wrong with it. */
export function useField({ path, label, required, schema }: FieldProps) {
  const { faults, disabled } = useForm();
  const description = typeof schema.description === 'string' ? schema.description : undefined;
  return { id: idOf(path), label, withAsterisk: required, error: faults.get(keyOf(path)), disabled, description };
}

/** Keep a form from being sent while a field has no valid value, even if another field would accept the text. */
export function useBroken(path: Path, reason: string | undefined): void {
  const { broken } = useForm();
  const key = keyOf(path);
  useEffect(() => {
    if (reason === undefined) return undefined;
    broken.set(key, reason);
    return () => void broken.delete(key);
  }, [broken, key, reason]);
}

export function idOf(path: Path): string {
  return `field-${path.map((each) => encodeURIComponent(String(each))).join('.')}`;
}
