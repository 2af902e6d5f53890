import { Menu, TextInput, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { IconDown, IconX } from './icons';
import './pick.css';

export type Choice = { value: string; label: string; count?: number };

/** From this many choices on, one types to find one. */
const SEARCHED = 10;
const MOST = 50;

type Props = {
  label: string;
  /** What the button says while nothing is chosen. */
  any: string;
  choices: readonly Choice[];
  value: string;
  onChange: (value: string) => void;
};

/** A filter as a button that says what it lets through, and a menu of what it may be. */
export function Pick({ label, any, choices, value, onChange }: Props) {
  const [text, setText] = useState('');
  const chosen = choices.find((each) => each.value === value);
  const found = choices.filter((each) => each.label.toLowerCase().includes(text.toLowerCase()));
  return (
    <span className={value ? 'pick pick-on' : 'pick'}>
      <Menu position="bottom-start" withinPortal onClose={() => setText('')}>
        <Menu.Target>
          <UnstyledButton className="pick-open">
            {label} <b className="ell">{chosen?.label ?? (value || any)}</b>
            {!value && <IconDown size={14} />}
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown className="pick-menu">
          {choices.length >= SEARCHED && (
            <TextInput
              size="xs"
              m={4}
              aria-label={`Find in ${label}`}
              placeholder="Find"
              value={text}
              data-autofocus
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          <Menu.RadioItem value="" checked={!value} closeMenuOnClick onChange={() => onChange('')}>
            {any}
          </Menu.RadioItem>
          {found.slice(0, MOST).map((each) => (
            <Menu.RadioItem
              key={each.value}
              value={each.value}
              checked={each.value === value}
              closeMenuOnClick
              rightSection={each.count === undefined ? undefined : <span className="dim num">{each.count}</span>}
              onChange={() => onChange(each.value)}
            >
              {each.label}
            </Menu.RadioItem>
          ))}
          {found.length > MOST && <Menu.Label>{found.length - MOST} more: type to find one</Menu.Label>}
        </Menu.Dropdown>
      </Menu>
      {value && (
        <UnstyledButton className="pick-clear" aria-label={`Clear ${label}`} onClick={() => onChange('')}>
          <IconX size={14} />
        </UnstyledButton>
      )}
    </span>
  );
}
