import { Anchor } from '@mantine/core';

/** Addresses in a text; what closes a sentence or a bracket is not a part of one. */
const ADDRESS = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}])/g;
/** Characters of a text in which addresses are looked for. */
const LONGEST = 20_000;

/** A text whose addresses are links. */
export function Linked({ text }: { text: string }) {
  if (text.length > LONGEST || !text.includes('://')) return <>{text}</>;
  const parts = text.split(ADDRESS).map((each, at) =>
    at % 2 === 1 ? (
      <Anchor key={at} href={each} target="_blank" rel="noreferrer noopener" inherit underline="always">
        {each}
      </Anchor>
    ) : (
      each
    ),
  );
  // As children, not as what is returned: only those are marked where a character cannot be seen.
  return <>{parts}</>;
}
