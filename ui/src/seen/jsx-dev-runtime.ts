/** The same while the page is being developed. */
import { jsx } from './jsx-runtime';

export { Fragment } from './jsx-runtime';
export type { JSX } from './jsx-runtime';

export function jsxDEV(...[type, props, key]: Parameters<typeof jsx>): ReturnType<typeof jsx> {
  return jsx(type, props, key);
}
