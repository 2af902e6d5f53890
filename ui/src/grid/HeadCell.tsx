/** The head of a column: name, type, and in small what its profile says. A press opens the whole profile. */
import { fitting, rangeWords } from './headWords';
import { type Column, type Profile } from './model';

export const KINDS: Record<Column['kind'], string> = {
  integer: 'whole number',
  number: 'number',
  boolean: 'yes/no',
  date: 'date',
  instant: 'time',
  text: 'text',
  other: 'nested',
};

type Props = {
  column: Column;
  profile: Profile | undefined;
  sort: 'ascending' | 'descending' | 'none';
  isMoney: boolean;
  total: number;
  /** Pixels that it has for words. */
  room: number;
  tabIndex: number;
  at: string;
  onFocus: () => void;
  onOpen: (anchor: HTMLElement) => void;
};

export function HeadCell({ column, profile, sort, isMoney, total, room, tabIndex, at, onFocus, onOpen }: Props) {
  const words = profile ? rangeWords(column, profile, isMoney) : [];
  return (
    <button
      type="button"
      className="gd-open"
      tabIndex={tabIndex}
      data-at={at}
      data-column={column.position}
      aria-haspopup="dialog"
      title={column.name}
      onFocus={onFocus}
      onClick={(event) => onOpen(event.currentTarget)}
    >
      <span className="gd-name" dir="auto">
        {column.name || 'no name'}
        {sort !== 'none' && <span aria-hidden> {sort === 'ascending' ? '▲' : '▼'}</span>}
      </span>
      <span className="gd-type">{KINDS[column.kind]}</span>
      {profile && (
        <>
          <span className="gd-mini" aria-hidden>
            <Mini profile={profile} total={total} />
          </span>
          <span className="gd-range" title={words[0]}>
            {fitting(words, room)}
          </span>
        </>
      )}
    </button>
  );
}

function Mini({ profile, total }: { profile: Profile; total: number }) {
  const { histogram, top } = profile;
  if (histogram) return <Bars counts={histogram.counts} />;
  if (!top || top.length === 0 || profile.distinct === total) return null;
  return (
    <span className="gd-parts">
      {top.slice(0, 4).map(([value, many], index) => (
        <span key={index} style={{ flex: Number(many) }} title={String(value)} />
      ))}
    </span>
  );
}

export function Bars({ counts }: { counts: readonly number[] }) {
  const most = Math.max(...counts, 1);
  return (
    <svg viewBox={`0 0 ${counts.length * 4} 24`} preserveAspectRatio="none">
      {counts.map((many, at) => {
        const height = many === 0 ? 0 : Math.max(1, (many / most) * 24);
        return <rect key={at} x={at * 4} y={24 - height} width={3.4} height={height} />;
      })}
    </svg>
  );
}
