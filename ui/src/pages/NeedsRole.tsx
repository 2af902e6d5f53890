/** Who may do what is not offered to the one who looks. */
import type { Place } from '../api/rights';

export function NeedsRole({ to, role = 'operator', place }: { to: string; role?: string; place?: Place }) {
  return (
    <span className="dim small needs-role">
      To {to}, you need the role <b>{role}</b>
      {place?.project && (
        <>
          {' '}
          in the project <b>{place.project}</b>
        </>
      )}
      . An administrator can grant it.
    </span>
  );
}
