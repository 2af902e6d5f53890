/** Fields for what is one value: text, numbers, choices, dates, durations. */
import {
  Anchor,
  Button,
  Group,
  Input,
  NativeSelect,
  Radio,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useEffect, useState } from 'react';
import { isBig, parseJson, signed, whole, writeJson, type Json } from '../api/json';
import { seen } from '../seen/seen';
import { same } from './check';
import { fromLocal, isNaive, parseDuration, toLocal, unitOf, UNITS, writeDuration, zone, type Unit } from './instants';
import type { Choice } from './shape';
import { useBroken, useField, type FieldProps } from './state';

const FEW = 6;
/** The same as at a terminal (`types/text.py`): `Number` takes `0x10`, and an empty text. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

export function TextField(props: FieldProps & { format: string }) {
  const field = useField(props);
  const { value, onChange, format } = props;
  const text = typeof value === 'string' ? value : '';
  const change = (next: string) => onChange(next === '' ? undefined : next);
  const long = text.includes('\n') || text.length > 80;
  return (
    <div>
      {format === '' ? (
        <Textarea
          {...field}
          value={text}
          autosize
          minRows={long ? 3 : 1}
          maxRows={14}
          onChange={(event) => change(event.currentTarget.value)}
        />
      ) : (
        <TextInput
          {...field}
          value={text}
          onChange={(event) => change(event.currentTarget.value)}
          placeholder={format === 'uuid' ? '00000000-0000-0000-0000-000000000000' : undefined}
        />
      )}
      {seen(text) !== text && (
        <Text size="sm" c="orange" mt={4}>
          It holds characters that cannot be seen: {seen(text)}
        </Text>
      )}
      {text === '' &&
        !field.disabled &&
        format === '' &&
        props.required &&
        (value === '' ? (
          <Text size="sm" c="dimmed" mt={4}>
            The text is empty.
          </Text>
        ) : (
          field.error && (
            <Anchor component="button" type="button" size="sm" mt={4} onClick={() => onChange('')}>
              Use an empty text
            </Anchor>
          )
        ))}
    </div>
  );
}

/** Numbers are typed as text, so that none of their digits is lost; anything else stays as it was typed, and is refused. */
export function NumberField(props: FieldProps & { kind: 'whole' | 'number' }) {
  const field = useField(props);
  const { value, onChange, kind } = props;
  const [text, setText] = useState(() => written(value));
  useBroken(
    props.path,
    typeof readNumber(text, kind) === 'string' ? `Must be a ${kind === 'whole' ? 'whole ' : ''}number` : undefined,
  );
  useEffect(
    () => setText((old) => (same(readNumber(old, kind) ?? null, value ?? null) ? old : written(value))),
    [value, kind],
  );
  return (
    <TextInput
      {...field}
      value={text}
      inputMode={kind === 'whole' ? 'numeric' : 'decimal'}
      autoComplete="off"
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(readNumber(event.currentTarget.value, kind));
      }}
    />
  );
}

function written(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return isBig(value) ? value.rawJSON : String(value);
}

function readNumber(text: string, kind: 'whole' | 'number'): Json | undefined {
  const digits = text.trim().replace('−', '-');
  if (digits === '') return undefined;
  if (/^[+-]?\d+$/.test(digits) && !(kind === 'number' && /^-0+$/.test(digits)))
    return whole(digits.replace(/^\+/, ''));
  if (kind === 'whole' || !NUMBER.test(digits)) return text;
  const value = Number(digits);
  return Number.isFinite(value) ? signed(value) : text;
}

export function ChoiceField(props: FieldProps & { choices: Choice[] }) {
  const { id, ...field } = useField(props);
  const { choices, value, onChange } = props;
  const at = value === undefined ? -1 : choices.findIndex((each) => same(each.value, value));
  const pick = (index: string | null) => onChange(index === null ? undefined : choices[Number(index)]?.value);
  if (choices.length > FEW) {
    return (
      <Select
        {...field}
        id={id}
        data={choices.map((each, index) => ({ value: String(index), label: each.label }))}
        value={at < 0 ? null : String(at)}
        onChange={pick}
        searchable
        clearable={!props.required}
        clearButtonProps={{ 'aria-label': 'Clear' }}
      />
    );
  }
  return (
    <Radio.Group {...field} value={at < 0 ? '' : String(at)} onChange={pick}>
      <Group gap="md" mt={6}>
        {choices.map((each, index) => (
          <Radio
            key={each.label}
            id={index === 0 ? id : undefined}
            value={String(index)}
            label={each.label}
            disabled={field.disabled}
          />
        ))}
      </Group>
    </Radio.Group>
  );
}

export const YES_NO: Choice[] = [
  { value: true, label: 'Yes' },
  { value: false, label: 'No' },
];

export function MomentField(props: FieldProps & { kind: 'date' | 'instant' | 'time' }) {
  const field = useField(props);
  const { kind, value, onChange } = props;
  const type = ({ date: 'date', instant: 'datetime-local', time: 'time' } as const)[kind];
  const shown = kind === 'instant' ? toLocal(value) : typeof value === 'string' ? value : '';
  const naive = kind === 'instant' && isNaive(value);
  const description =
    kind === 'instant' && !naive
      ? [field.description, `In your time zone, ${zone()}.`].filter(Boolean).join(' ')
      : field.description;
  return (
    <TextInput
      {...field}
      type={type}
      step={kind === 'date' ? undefined : 1}
      value={shown}
      description={description}
      onChange={(event) => {
        const text = event.currentTarget.value;
        onChange(text === '' ? undefined : kind === 'instant' && !naive ? fromLocal(text) : text);
      }}
    />
  );
}

export function DurationField(props: FieldProps) {
  const { id, error, label, withAsterisk, disabled, description } = useField(props);
  const { value, onChange } = props;
  const seconds = typeof value === 'string' ? parseDuration(value) : undefined;
  const [unit, setUnit] = useState<Unit>(() => unitOf(seconds));
  const [text, setText] = useState(() => (seconds === undefined ? '' : String(seconds / UNITS[unit])));
  useBroken(
    props.path,
    text.trim() !== '' && !Number.isFinite(Number(text)) ? 'Must be a duration, such as 90 minutes' : undefined,
  );
  const emit = (many: string, of: Unit) => {
    setText(many);
    setUnit(of);
    onChange(many.trim() === '' ? undefined : Number.isFinite(Number(many)) ? writeDuration(Number(many), of) : many);
  };
  return (
    <Input.Wrapper
      label={label}
      labelProps={{ htmlFor: id }}
      withAsterisk={withAsterisk}
      error={error}
      description={description}
    >
      <Group gap="xs" wrap="nowrap">
        <TextInput
          id={id}
          inputMode="decimal"
          value={text}
          disabled={disabled}
          error={Boolean(error)}
          onChange={(event) => emit(event.currentTarget.value, unit)}
          flex={1}
        />
        <NativeSelect
          aria-label={`${label}: unit`}
          data={Object.keys(UNITS)}
          value={unit}
          disabled={disabled}
          onChange={(event) => emit(text, event.currentTarget.value as Unit)}
          w={120}
        />
      </Group>
    </Input.Wrapper>
  );
}

/** The field for whatever has no other: JSON, checked as it is typed. */
export function JsonField(props: FieldProps) {
  const field = useField(props);
  const { value, onChange, path } = props;
  const [text, setText] = useState(() => (value === undefined ? '' : writeJson(value, 2)));
  const [error, setError] = useState('');
  useBroken(path, error || undefined);
  const change = (next: string) => {
    setText(next);
    try {
      const parsed = next.trim() === '' ? undefined : parseJson(next);
      setError('');
      onChange(parsed);
    } catch (caught) {
      setError(`This is not JSON yet: ${caught instanceof Error ? caught.message : ''}`);
    }
  };
  return (
    <Textarea
      {...field}
      value={text}
      autosize
      minRows={2}
      maxRows={20}
      spellCheck={false}
      className="mono"
      description={field.description ?? 'As JSON: "text", 12, true, null, [1, 2], {"a": 1}'}
      error={error || field.error}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** A value that may be left out: it is there once it is asked for. */
export function OptionalGroup({
  label,
  given,
  onGive,
  onTake,
  children,
  disabled,
}: {
  label: string;
  given: boolean;
  onGive: () => void;
  onTake: () => void;
  children: React.ReactNode;
  disabled: boolean;
}) {
  if (!given) {
    return (
      <Stack gap={4} align="flex-start">
        <Text size="sm" fw={500}>
          {label}
        </Text>
        <Button size="xs" variant="default" disabled={disabled} onClick={onGive}>
          Give a value <span className="dim">&nbsp;(otherwise empty)</span>
        </Button>
      </Stack>
    );
  }
  return (
    <Stack gap={4} align="stretch">
      {children}
      <Button
        size="compact-xs"
        variant="subtle"
        disabled={disabled}
        onClick={onTake}
        style={{ alignSelf: 'flex-start' }}
      >
        Leave it out
      </Button>
    </Stack>
  );
}
