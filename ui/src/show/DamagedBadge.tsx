import { IconAlert } from '../app/icons';

/** Marks an execution as damaged. */
export function DamagedBadge() {
  return (
    <span className="damaged-badge">
      <IconAlert size={14} />
      Damaged
    </span>
  );
}
