/** What the fields of one form share. */
import { createContext, useContext, type ComponentType, type Dispatch } from 'react';
import { keyOf, type Path } from './check';
import type { Address, Entry, Leaf } from './entry';
import type { Action, FormState } from './reducer';
import type { Schema } from './shape';
import type { Sender } from './useUploads';

export type FormScope = {
  /** What the ids of its fields begin with: a dialog may lie over another form. */
  id: string;
  root: Schema;
  uploads: FormState['uploads'];
  dispatch: Dispatch<Action>;
  /** What is wrong, by `keyOf` the path. */
  faults: ReadonlyMap<string, string>;
  disabled: boolean;
  /** Send a file for the field at an address. */
  send: (at: Address, file: { name: string; size: number }, sender: Sender) => void;
  again: (upload: string) => void;
  /** The field of any schema. Handed down, so that what holds fields need not import what holds it. */
  Field: ComponentType<FieldProps>;
};

export type FieldProps = {
  schema: Schema;
  entry: Entry;
  at: Address;
  path: Path;
  label: string;
  /** What stands in an empty field that may stay empty; it must be filled in where this is undefined. */
  optional?: string | undefined;
  /** A cell of a row: its label stands above the column, and its fault below the row. */
  isCell?: boolean;
};

const Scope = createContext<FormScope | undefined>(undefined);
export const FormScopeProvider = Scope.Provider;

export function useForm(): FormScope {
  const scope = useContext(Scope);
  if (!scope) throw new Error('A field outside a form.');
  return scope;
}

const NOTHING: Leaf = { kind: 'leaf', value: undefined };

/** What every input has in common. */
export function useField({ path, schema, entry, optional }: FieldProps) {
  const { id: form, faults, disabled, dispatch } = useForm();
  const id = idOf(form, path);
  const error = faults.get(keyOf(path));
  const description = typeof schema.description === 'string' ? schema.description : '';
  const described = [`${id}-hint`, error && `${id}-fault`].filter(Boolean).join(' ');
  return {
    id,
    error,
    description,
    disabled,
    dispatch,
    leaf: entry.kind === 'leaf' ? entry : NOTHING,
    input: {
      id,
      disabled,
      'aria-describedby': described,
      'aria-invalid': error ? true : undefined,
      'aria-required': optional === undefined,
      dir: 'auto',
    } as const,
  };
}

export function idOf(form: string, path: Path): string {
  return `field-${form}-${path.map((each) => encodeURIComponent(String(each))).join('.')}`;
}
