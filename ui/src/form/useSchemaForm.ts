/** The state of a form: what is in it, what is wrong with it, and what is still on its way. */
import { useQuery } from '@tanstack/react-query';
import { useCallback, useId, useMemo, useReducer, useRef, type Dispatch } from 'react';
import { writeJson, type Json } from '../api/json';
import { limitsQuery } from '../api/limits';
import type { FaultDocument } from '../api/types';
import { bytes } from '../show/numbers';
import { keyOf, type Path } from './check';
import { blank, eachLeaf, pathOf, read, valueOf, type Source } from './entry';
import { faultsOf, together } from './faults';
import { beginning, pendingOf, reduce, type Action, type FormState } from './reducer';
import type { Schema } from './shape';
import { idOf } from './state';
import { useUploads } from './useUploads';

/** Ask the server what is wrong with a value, without sending it. */
export type Check = (value: Json) => Promise<FaultDocument[]>;

export type FormValue = {
  /** What is in the form; text that is not a value yet stands in it as text. */
  value: Json | undefined;
  setValue: (value: Json | undefined, from?: Source) => void;
  /** Whether a person has changed anything. */
  changed: boolean;
  /** How many files are on their way; the form waits for them. */
  pending: number;
  faults: FaultDocument[];
  /** Show faults at their fields, and move to the first. */
  setFaults: (faults: FaultDocument[]) => void;
  /** Look at the value; undefined, and the faults at their fields, if it cannot be sent. */
  validated: () => { value: Json } | undefined;
  focus: (path: Path) => void;
  /** Check what was filled in so far. */
  look: () => void;
  id: string;
  state: FormState;
  dispatch: Dispatch<Action>;
  uploads: ReturnType<typeof useUploads>;
};

/** `from` says where the value to begin with comes from: 'suggested' is marked at each field until it is touched. */
export function useSchemaForm(
  schema: Schema,
  begin: Json | undefined,
  { from, check }: { from?: Source; check?: Check } = {},
): FormValue {
  const id = useId();
  const [state, dispatch] = useReducer(reduce, undefined, () =>
    beginning(begin === undefined ? blank(schema, schema) : read(schema, schema, begin, from)),
  );
  const latest = useRef(state);
  latest.current = state;
  const looked = useRef(state.entry);
  const uploads = useUploads(state, dispatch);
  const { data: limits } = useQuery(limitsQuery);
  const focus = useCallback((path: Path) => focusField(id, path), [id]);
  const value = useMemo(() => valueOf(state.entry), [state.entry]);

  const setFaults = useCallback(
    (faults: FaultDocument[]) => {
      dispatch({ type: 'faults', faults, refused: faults.length > 0 });
      if (faults[0]) focus(faults[0].path);
    },
    [focus],
  );
  const setValue = useCallback(
    (next: Json | undefined, source?: Source) =>
      dispatch({
        type: 'replaced',
        entry: next === undefined ? blank(schema, schema) : read(schema, schema, next, source),
        changed: true,
      }),
    [schema],
  );

  /**
   * Add what the server says against an incomplete form, unless it has been changed meanwhile. `own` is asked for when the reply is there: what
   * the form has found by then stays.
   */
  const ask = (own: () => FaultDocument[], entry: FormState['entry'], isWanted: (path: Path) => boolean) => {
    const told = valueOf(entry);
    if (!check || told === undefined) return;
    check(told).then(
      (found) => {
        if (latest.current.entry !== entry) return;
        const faults = together(
          own(),
          found.filter(({ path }) => isWanted(path)),
        );
        dispatch({ type: 'faults', faults, refused: latest.current.refused && faults.length > 0 });
      },
      // Without the server, it is told when the form is sent.
      () => undefined,
    );
  };
  const validated = () => {
    const { entry } = state;
    const found = [...faultsOf(entry, schema, schema), ...tooLarge(value, limits?.value_bytes)];
    setFaults(found);
    if (found.length > 0)
      ask(
        () => found,
        entry,
        () => true,
      );
    return found.length === 0 && pendingOf(state) === 0 && value !== undefined ? { value } : undefined;
  };
  const look = () => {
    const { entry, changed } = latest.current;
    if (!changed || looked.current === entry) return;
    looked.current = entry;
    const missing = new Set(faultsOf(entry, schema, schema).map(({ path }) => keyOf(path)));
    const filled = filledIn(entry);
    const kept = () => latest.current.faults.filter(({ path }) => missing.has(keyOf(path)));
    ask(kept, entry, (path) => !missing.has(keyOf(path)) && filled.has(keyOf(path)));
  };
  return {
    value,
    setValue,
    changed: state.changed,
    pending: pendingOf(state),
    faults: state.faults,
    setFaults,
    validated,
    focus,
    look,
    id,
    state,
    dispatch,
    uploads,
  };
}

/** A value that no door takes. */
function tooLarge(value: Json | undefined, most: number | undefined): FaultDocument[] {
  if (value === undefined || most === undefined) return [];
  const size = new TextEncoder().encode(writeJson(value)).length;
  if (size <= most) return [];
  return [{ path: [], reason: `All of it together has ${bytes(size)}, and ${bytes(most)} are allowed: shorten it` }];
}

/** Where there is a value. */
function filledIn(entry: FormState['entry']): Set<string> {
  const found = new Set<string>();
  eachLeaf(entry, ({ value }, at) => value !== undefined && found.add(keyOf(pathOf(entry, at))));
  return found;
}

/** Move to the field at a path, or to the nearest around it. */
function focusField(form: string, path: Path): void {
  requestAnimationFrame(() => {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = document.getElementById(idOf(form, path.slice(0, length)));
      if (found) {
        found.focus();
        return;
      }
    }
  });
}
