/** A choice among given values: tiles while they are few, then radio buttons, then a list that can be searched. */
import { Select } from '@mantine/core';
import { useState } from 'react';
import type { Json } from '../api/json';
import { areSingleKeysOn } from '../app/keys';
import { seen } from '../seen/seen';
import { same } from './check';
import { Frame } from './Frame';
import type { Choice } from './shape';
import { useField, type FieldProps } from './state';

const TILES = 4;
const KEYS = 9;
/** Characters of a tile that has half of a line. */
const SHORT = 18;

type Props = FieldProps & { choices: Choice[] };

export function ChoiceField(props: Props) {
  const { optional, choices } = props;
  if (choices.length > KEYS) return <SearchField {...props} />;
  return optional === undefined ? (
    <RadioField {...props} />
  ) : (
    <RadioField {...props} choices={[...choices]} none={optional} />
  );
}

function RadioField(props: Props & { none?: string }) {
  const { id, leaf, dispatch, input } = useField(props);
  const { choices, at, label, isCell, none } = props;
  const pick = (value: Json | undefined) => dispatch({ type: 'typed', at, reading: { value } });
  const options: { value: Json | undefined; label: string }[] =
    none === undefined ? choices : [...choices, { value: undefined, label: none }];
  const isOn = (value: Json | undefined) =>
    value === undefined ? leaf.value === undefined : leaf.value !== undefined && same(leaf.value, value);
  const press = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !areSingleKeysOn() || input.disabled) return;
    const index = Number(event.key) - 1;
    const found = /^[1-9]$/.test(event.key) ? options[index] : undefined;
    if (!found) return;
    event.preventDefault();
    pick(found.value);
    document.getElementById(partId(id, index))?.focus();
  };
  const chosen = options.findIndex((each) => isOn(each.value));
  return (
    <Frame {...props} isGroup>
      <div
        className={isCell ? 'seg' : tilesOf(options)}
        role="radiogroup"
        aria-label={label}
        aria-describedby={input['aria-describedby']}
        aria-invalid={input['aria-invalid']}
        aria-required={input['aria-required']}
        onKeyDown={press}
      >
        {options.map((each, index) => (
          <label key={index} className={isCell ? 'seg-one' : 'tile'} dir="auto">
            <input
              type="radio"
              id={partId(id, index)}
              name={id}
              disabled={input.disabled}
              checked={index === chosen}
              onChange={() => pick(each.value)}
            />
            <span className={each.value === undefined ? 'dim' : undefined}>{seen(each.label)}</span>
            {!isCell && (
              <kbd className="kbd" aria-hidden>
                {index + 1}
              </kbd>
            )}
          </label>
        ))}
      </div>
    </Frame>
  );
}

/** The first has the id of the field. */
const partId = (id: string, index: number): string => (index === 0 ? id : `${id}--${index}`);

function tilesOf(options: { label: string }[]): string {
  const longest = Math.max(...options.map(({ label }) => label.length));
  if (longest > SHORT) return 'tiles tiles-long';
  return options.length > TILES + 1 ? 'radios' : 'tiles';
}

function SearchField(props: Props) {
  const { id, leaf, dispatch, input, error } = useField(props);
  const { choices, at, optional, isCell, label } = props;
  const { value } = leaf;
  const index = value === undefined ? -1 : choices.findIndex((each) => same(each.value, value));
  const chosen = seen(choices[index]?.label ?? '');
  const [search, setSearch] = useState(chosen);
  // Who types and presses Enter at once means the first that is found; the list marks it only a moment later.
  const pressed = (event: React.KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== 'Enter' || search === '' || search === chosen) return;
    if (event.currentTarget.getAttribute('aria-activedescendant')) return;
    const first = choices.find((each) => seen(each.label).toLowerCase().includes(search.trim().toLowerCase()));
    if (!first) return;
    event.preventDefault();
    dispatch({ type: 'typed', at, reading: { value: first.value } });
    setSearch(seen(first.label));
  };
  return (
    <Frame {...props}>
      <Select
        id={id}
        aria-label={isCell ? label : undefined}
        disabled={input.disabled}
        error={Boolean(error)}
        attributes={{ input: { 'aria-describedby': input['aria-describedby'], dir: 'auto' } }}
        data={choices.map((each, at) => ({ value: String(at), label: seen(each.label) }))}
        value={index < 0 ? null : String(index)}
        placeholder={optional ?? `Search ${choices.length} choices`}
        onChange={(next) =>
          dispatch({ type: 'typed', at, reading: { value: next === null ? undefined : choices[Number(next)]?.value } })
        }
        searchable
        openOnFocus={false}
        searchValue={search}
        onSearchChange={setSearch}
        selectFirstOptionOnChange
        onKeyDown={pressed}
        allowDeselect={false}
        clearable={optional !== undefined}
        clearButtonProps={{ 'aria-label': 'Clear' }}
        nothingFoundMessage="No such choice"
      />
    </Frame>
  );
}
