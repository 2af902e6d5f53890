import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { IconSearch } from './icons';

const TYPING_MS = 200;

type Props = {
  label: string;
  placeholder: string;
  text: string;
  onSettled: (text: string) => void;
  /** From the search to what was found. */
  onDown?: () => void;
};

/** What is typed counts once it rests; what the address says from elsewhere (back, a link) stands in the field. */
export function SearchField({ label, placeholder, text, onSettled, onDown }: Props) {
  const [typed, setTyped] = useState(text);
  const [settled] = useDebouncedValue(typed, TYPING_MS);
  const sent = useRef(text);
  useEffect(() => {
    if (settled === sent.current) return;
    sent.current = settled;
    onSettled(settled);
  }, [settled, onSettled]);
  useEffect(() => {
    if (text === sent.current) return;
    sent.current = text;
    setTyped(text);
  }, [text]);
  const press = (event: React.KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape' && typed === '') event.currentTarget.blur();
    if (!onDown || (event.key !== 'Enter' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    onDown();
  };
  return (
    <TextInput
      data-search
      type="search"
      className="search"
      size="xs"
      aria-label={label}
      placeholder={placeholder}
      leftSection={<IconSearch size={16} />}
      value={typed}
      onKeyDown={press}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
