/** Evidence on the left, decision on the right; one column where there is little to look at, and on a phone. The end stays in sight. */
import type { ReactNode } from 'react';

export type Shape = 'narrow' | 'wide' | 'form';

type Props = { shape: Shape; evidence: ReactNode; rail: ReactNode; foot: ReactNode; isSettling: boolean };

export function Layout({ shape, evidence, rail, foot, isSettling }: Props) {
  return (
    <div className={`an-two an-two-${shape} ${isSettling ? 'settling' : 'settled'}`}>
      <div className="an-flow">
        <div className="an-sub answer-asked">{evidence}</div>
        <aside className="an-rail" aria-label="Decision">
          {rail}
        </aside>
      </div>
      <div className="bar">{foot}</div>
    </div>
  );
}
