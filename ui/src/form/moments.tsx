/** Fields for dates and times: those of the browser. */
import { useRef } from 'react';
import type { Json } from '../api/json';
import { Frame } from './Frame';
import { fromLocal, instantOf, instantsOf, isNaive, localOf, offsetText, zone } from './instants';
import { readMoment, textOf, type Reading } from './reading';
import { useField, type FieldProps } from './state';

const TYPES = { date: 'date', instant: 'datetime-local', time: 'time' } as const;
const SHOWN = { date: /^\d{4}-\d\d-\d\d$/, time: /^\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/ };
const HALF = {
  date: 'This date is not complete',
  instant: 'This date and time is not complete',
  time: 'This time is not complete',
};

export function MomentField(props: FieldProps & { kind: 'date' | 'instant' | 'time' }) {
  const { leaf } = useField(props);
  const { kind } = props;
  const shown = shownOf(kind, leaf.value);
  if (leaf.text !== undefined || shown === undefined) return <WrittenField {...props} />;
  return <NativeField {...props} shown={shown} />;
}

/** What the field of the browser shows; undefined where it would show nothing, or not all. */
function shownOf(kind: keyof typeof TYPES, value: Json | undefined): string | undefined {
  if (value === undefined) return '';
  if (kind === 'instant') return localOf(value)?.text;
  return typeof value === 'string' && SHOWN[kind].test(value) ? value : undefined;
}

function NativeField(props: FieldProps & { kind: 'date' | 'instant' | 'time'; shown: string }) {
  const { input, leaf, dispatch } = useField(props);
  const { at, kind, shown } = props;
  // Who changes a field back gets what was there, to the microsecond.
  const first = useRef({ shown, value: leaf.value });
  const naive = kind === 'instant' && isNaive(leaf.value);
  const fraction = kind === 'instant' ? (localOf(leaf.value)?.fraction ?? '') : '';
  const type = (reading: Reading) => dispatch({ type: 'typed', at, reading });
  const change = (text: string) => {
    if (text === '') type({ value: undefined });
    else if (text === first.current.shown) type({ value: first.current.value });
    else if (kind !== 'instant') type({ value: text });
    else type({ value: naive ? text : fromLocal(text, leaf.value, text.endsWith(shown.slice(16)) ? fraction : '') });
  };
  // The browser keeps to itself what is half a date; an optional one would be sent as none.
  const look = ({ currentTarget: field }: { currentTarget: HTMLInputElement }) => {
    if (field.validity.badInput === (leaf.wrong !== undefined)) return;
    if (field.validity.badInput) type({ value: undefined, wrong: HALF[kind] });
    else change(field.value);
  };
  return (
    <Frame
      {...props}
      help={
        kind === 'instant' &&
        !naive && (
          <Zone
            value={leaf.value}
            shown={shown}
            {...{ fraction }}
            onChoose={(value) => type({ value })}
            id={input.id}
            disabled={input.disabled}
          />
        )
      }
    >
      <input
        {...input}
        className="in num"
        type={TYPES[kind]}
        step={kind === 'date' ? undefined : 1}
        max={kind === 'date' ? '9999-12-31' : kind === 'instant' ? '9999-12-31T23:59:59' : undefined}
        value={shown}
        onChange={(event) => change(event.currentTarget.value)}
        onKeyUp={look}
        onBlur={look}
      />
    </Frame>
  );
}

/** In which zone a time is meant; and, where it comes twice, which of the two. */
function Zone({
  value,
  shown,
  fraction,
  onChoose,
  id,
  disabled,
}: {
  value: Json | undefined;
  shown: string;
  fraction: string;
  onChoose: (value: string) => void;
  id: string;
  disabled: boolean;
}) {
  const at = instantOf(value);
  const found = shown ? instantsOf(shown) : [];
  const write = (each: Date) => each.toISOString().replace('.000Z', `${fraction}Z`);
  return (
    <>
      <p className="hlp">
        In your time zone, {zone()}
        {at && found.length < 2 && `, ${offsetText(at)}`}.
        {fraction && ` Its fraction of a second, ${fraction}, is kept.`}
      </p>
      {found.length > 1 && at && (
        <div className="seg" role="radiogroup" aria-label="This time comes twice: which one?">
          {found.map((each, index) => (
            <label key={each.getTime()} className="seg-one">
              <input
                type="radio"
                name={`${id}-which`}
                disabled={disabled}
                checked={Math.floor(at.getTime() / 1_000) === each.getTime() / 1_000}
                onChange={() => onChoose(write(each))}
              />
              {index === 0 ? 'first' : 'second'}, {offsetText(each)}
            </label>
          ))}
        </div>
      )}
    </>
  );
}

/** A moment that the field of the browser cannot show, as it is written. */
function WrittenField(props: FieldProps & { kind: keyof typeof TYPES }) {
  const { input, leaf, dispatch } = useField(props);
  const { at, kind } = props;
  return (
    <Frame {...props}>
      <input
        {...input}
        className="in mono"
        value={textOf(leaf)}
        onChange={(event) => dispatch({ type: 'typed', at, reading: readMoment(event.currentTarget.value, kind) })}
      />
    </Frame>
  );
}
