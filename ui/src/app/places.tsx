import { VisuallyHidden } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { IconBranch, IconHand, IconPlay } from './icons';

const PLACES = [
  { to: '/', word: 'Inbox', icon: IconHand },
  { to: '/executions', word: 'Executions', icon: IconPlay },
  { to: '/workflows', word: 'Workflows', icon: IconBranch },
] as const;

/** Where one can go; on a phone, at the thumbs, with icons. */
export function Places({ waiting, icons }: { waiting: string; icons?: boolean }) {
  return PLACES.map(({ to, word, icon: Icon }) => (
    <Link
      key={to}
      to={to}
      className="place"
      activeProps={{ className: 'place place-active', 'aria-current': 'page' }}
      activeOptions={{ exact: to === '/', includeSearch: false }}
    >
      {icons && <Icon size={20} />}
      {word}
      {to === '/' && waiting && (
        <span className="count">
          {waiting}
          <VisuallyHidden> waiting</VisuallyHidden>
        </span>
      )}
    </Link>
  ));
}
