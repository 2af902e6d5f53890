/**
 * How this page makes elements: as React does, but no text gets into one that holds what cannot be seen (`seen`).
 *
 * Names, prompts, values and comments are other people's. To mark them where each is shown would be to forget one; so it is done where all
 * of them pass. Only what is read is marked: values of fields, addresses and keys stay as they are.
 */
import { Fragment, jsx as make, jsxs as makeMany, type JSX } from 'react/jsx-runtime';
import { seen } from './seen';

export { Fragment };
export type { JSX };

type Props = Record<string, unknown>;

/** What is shown besides the children: by our own components, by Mantine's, and by the browser. */
const READ = ['label', 'title', 'legend', 'description', 'error', 'placeholder', 'alt', 'aria-label'];

function readable(props: Props): Props {
  let found = props;
  const mark = (name: string, marked: unknown) => {
    if (marked !== props[name]) found = { ...found, [name]: marked };
  };
  if (props.children !== undefined) mark('children', markedChildren(props.children));
  for (const name of READ) if (typeof props[name] === 'string') mark(name, seen(props[name]));
  return found;
}

function markedChildren(children: unknown): unknown {
  if (typeof children === 'string') return seen(children);
  if (!Array.isArray(children) || !children.some((each) => typeof each === 'string')) return children;
  const marked = children.map((each: unknown) => (typeof each === 'string' ? seen(each) : each));
  return marked.some((each, index) => each !== children[index]) ? marked : children;
}

export function jsx(type: Parameters<typeof make>[0], props: Props, key?: string): JSX.Element {
  return make(type, readable(props), key);
}

export function jsxs(type: Parameters<typeof makeMany>[0], props: Props, key?: string): JSX.Element {
  return makeMany(type, readable(props), key);
}
