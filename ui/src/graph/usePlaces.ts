import { useEffect, useState } from 'react';
import { layout, type Places } from './layout';
import type { Shape } from './model';

/** The places of a shape; while those of another are looked for, the old ones stay. */
export function usePlaces(
  shape: Shape,
  rows: ReadonlyMap<string, number>,
  key: string,
): { places: Places | undefined; error: string; isBusy: boolean } {
  const [found, setFound] = useState<{ places: Places; key: string }>();
  const [error, setError] = useState('');
  useEffect(() => {
    let isWanted = true;
    layout(shape, rows).then(
      (places) => isWanted && setFound({ places, key }),
      (reason: unknown) => isWanted && setError(String(reason)),
    );
    return () => {
      isWanted = false;
    };
    // The key says all of the shape that matters here: a change of phase moves nothing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return { places: found?.places, error, isBusy: found?.key !== key };
}
