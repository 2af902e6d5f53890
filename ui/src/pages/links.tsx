/** Links that look like Mantine's and know the addresses of the pages. */
import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Attributes = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

function PlainAnchor(props: Omit<AnchorProps, keyof Attributes> & Attributes) {
  return <Anchor {...props} />;
}

function PlainButton(props: Omit<ButtonProps, keyof Attributes> & Attributes) {
  return <Button component="a" {...props} />;
}

export const LinkAnchor = createLink(PlainAnchor);
export const LinkButton = createLink(PlainButton);
