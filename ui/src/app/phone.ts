import { useMediaQuery } from '@mantine/hooks';

/** Where the styles give one column. */
const PHONE = '(max-width: 45em)';

/** Whether the window is as narrow as a phone's. */
export function useIsPhone(): boolean {
  return useMediaQuery(PHONE, false, { getInitialValueInEffect: false });
}
