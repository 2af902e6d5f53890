/** Fields for what is typed: text, numbers, durations, JSON. */
import { useRef, useState } from 'react';
import { seen } from '../seen/seen';
import { Frame } from './Frame';
import { parseDuration, unitOf, UNITS, writeDuration, type Unit } from './instants';
import { readJson, readNumber, textOf } from './reading';
import { useField, type FieldProps } from './state';

const MOST_LINES = 14;
const LONG = 80;
const TYPES: Record<string, string> = { email: 'email', 'idn-email': 'email', uri: 'url' };

/** A text is one line until it has a line break: then Enter makes another one. */
export function TextField(props: FieldProps & { format: string }) {
  const { input, leaf, dispatch, disabled, error } = useField(props);
  const { at, format, optional } = props;
  const text = textOf(leaf);
  // What was filled in and is cleared is an empty text; what never was filled in is missing.
  const wasFilled = useRef(false);
  wasFilled.current ||= leaf.from !== undefined || typeof props.schema.default === 'string';
  const hasEmpty = optional === undefined && wasFilled.current;
  const change = (next: string) =>
    dispatch({ type: 'typed', at, reading: { value: next === '' && !hasEmpty ? undefined : next } });
  const lines = text.split('\n').length;
  const common = {
    ...input,
    value: text,
    placeholder: optional ?? (format === 'uuid' ? '00000000-0000-0000-0000-000000000000' : undefined),
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => change(event.currentTarget.value),
  };
  return (
    <Frame
      {...props}
      help={
        <TextHelp
          {...{ text, isEmpty: leaf.value === '', disabled }}
          hasFault={Boolean(error)}
          onEmpty={() => dispatch({ type: 'typed', at, reading: { value: '' } })}
          format={format}
        />
      }
    >
      {format === '' ? (
        <textarea
          {...common}
          className="in in-text"
          data-lines={lines}
          rows={Math.min(MOST_LINES, lines === 1 && text.length > LONG ? 3 : lines)}
        />
      ) : (
        <input {...common} className="in" type={TYPES[format] ?? 'text'} autoComplete="off" />
      )}
    </Frame>
  );
}

function TextHelp({
  text,
  isEmpty,
  disabled,
  hasFault,
  onEmpty,
  format,
}: {
  text: string;
  isEmpty: boolean;
  disabled: boolean;
  hasFault: boolean;
  onEmpty: () => void;
  format: string;
}) {
  return (
    <>
      {seen(text) !== text && <p className="hlp hlp-warn">It holds characters that cannot be seen: {seen(text)}</p>}
      {isEmpty && <p className="hlp">The text is empty.</p>}
      {text === '' && !isEmpty && hasFault && !disabled && format === '' && (
        <button type="button" className="link hlp" onClick={onEmpty}>
          Use an empty text
        </button>
      )}
    </>
  );
}

/** Numbers are typed as text, so that none of their digits is lost; anything else stays as it was typed, and is refused. */
export function NumberField(props: FieldProps & { kind: 'whole' | 'number' | 'decimal' }) {
  const { input, leaf, dispatch } = useField(props);
  const { at, kind, optional } = props;
  return (
    <Frame {...props}>
      <input
        {...input}
        className="in num"
        value={textOf(leaf)}
        inputMode={kind === 'whole' ? 'numeric' : 'decimal'}
        autoComplete="off"
        placeholder={optional}
        onChange={(event) => dispatch({ type: 'typed', at, reading: readNumber(event.currentTarget.value, kind) })}
      />
    </Frame>
  );
}

export function DurationField(props: FieldProps) {
  const { input, leaf, dispatch, disabled } = useField(props);
  const { at, label, optional } = props;
  const [unit, setUnit] = useState<Unit>(() => unitOf(parseDuration(textOf(leaf))));
  const seconds = typeof leaf.value === 'string' ? parseDuration(leaf.value) : undefined;
  // What was typed is kept beside the value, which says it in another way.
  const text = leaf.text ?? (seconds === undefined ? textOf(leaf) : String(seconds / UNITS[unit]));
  const change = (many: string, of: Unit) => {
    setUnit(of);
    const read = readNumber(many, 'decimal');
    if (read.value === undefined)
      return dispatch({
        type: 'typed',
        at,
        reading: read.wrong ? { ...read, wrong: 'Must be a duration, such as 90 minutes' } : read,
      });
    return dispatch({ type: 'typed', at, reading: { value: writeDuration(Number(many), of), text: many } });
  };
  return (
    <Frame {...props}>
      <div className="f-row">
        <input
          {...input}
          className="in num"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          placeholder={optional}
          onChange={(event) => change(event.currentTarget.value, unit)}
        />
        <select
          className="in in-unit"
          aria-label={`${label}: unit`}
          value={unit}
          disabled={disabled}
          onChange={(event) => change(text, event.currentTarget.value as Unit)}
        >
          {Object.keys(UNITS).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </div>
    </Frame>
  );
}

/** The field for whatever has no other: JSON, read as it is typed. */
export function JsonField(props: FieldProps) {
  const { input, leaf, dispatch, error } = useField(props);
  const text = textOf(leaf);
  return (
    <Frame
      {...props}
      help={
        <>
          {leaf.wrong && !error && <p className="hlp hlp-warn">{leaf.wrong}</p>}
          <p className="hlp">As JSON: &quot;text&quot;, 12, true, null, [1, 2], {'{"a": 1}'}</p>
        </>
      }
    >
      <textarea
        {...input}
        className="in in-text mono"
        spellCheck={false}
        dir="ltr"
        data-lines={2}
        rows={Math.min(MOST_LINES, Math.max(2, text.split('\n').length))}
        value={text}
        onChange={(event) => dispatch({ type: 'typed', at: props.at, reading: readJson(event.currentTarget.value) })}
      />
    </Frame>
  );
}
