/** A prompt: Markdown, without raw HTML, and without images, which would tell others who reads it. */
import { Anchor } from '@mantine/core';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { seen } from '../seen/seen';

const components: Components = {
  a: ({ href, children }) => (
    <Anchor href={href} target="_blank" rel="noreferrer noopener" underline="always">
      {children}
    </Anchor>
  ),
  img: ({ src, alt }) => (
    <Anchor href={src} target="_blank" rel="noreferrer noopener" underline="always">
      {alt || src}
    </Anchor>
  ),
  h1: ({ children }) => (
    <p>
      <strong>{children}</strong>
    </p>
  ),
  h2: ({ children }) => (
    <p>
      <strong>{children}</strong>
    </p>
  ),
  h3: ({ children }) => (
    <p>
      <strong>{children}</strong>
    </p>
  ),
};

export function Prose({ text }: { text: string }) {
  return (
    <div className="prose">
      <Markdown remarkPlugins={[remarkGfm]} components={components}>
        {seen(text)}
      </Markdown>
    </div>
  );
}
