/** The head of the dialog: what is asked, where it comes from, and the ways to other questions. */
import { ActionIcon, Modal } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState, type RefObject } from 'react';
import { IconCheck, IconChevron, IconLink, IconX } from '../app/icons';
import { taskId } from '../api/queries';
import { expected } from '../show/expects';
import { Ago } from '../show/time';
import { copyText } from './copy';
import { IconApproval, IconForm, IconPrevious } from './icons';
import type { Place } from './order';
import { titleOf, type Asked } from './view';

export type HeadProps = {
  view: Asked | undefined;
  place: Place | undefined;
  title: RefObject<HTMLHeadingElement | null>;
  onGo: (task: string) => void;
  onClose: () => void;
};

export function Head({ view, place, title, onGo, onClose }: HeadProps) {
  const previous = place?.previous;
  const next = place?.next;
  return (
    <header className="answer-head">
      {view && (
        <span className="answer-kind">
          {view.kind === 'approve' ? <IconApproval size={20} /> : <IconForm size={20} />}
        </span>
      )}
      <div className="answer-what">
        <Modal.Title ref={title} tabIndex={-1} data-autofocus className="answer-title" dir="auto">
          {view ? titleOf(view) : 'Question'}
        </Modal.Title>
        {view && <From view={view} />}
      </div>
      {place && (
        <span className="answer-place">
          {place.at.toLocaleString()} of {place.of.toLocaleString()}
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label="Previous question"
            disabled={previous === undefined}
            onClick={() => previous !== undefined && onGo(previous)}
          >
            <IconPrevious size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label="Next question"
            disabled={next === undefined}
            onClick={() => next !== undefined && onGo(next)}
          >
            <IconChevron size={16} />
          </ActionIcon>
        </span>
      )}
      {view && <CopyLink view={view} />}
      <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
    </header>
  );
}

/** Where a question comes from. */
function From({ view }: { view: Asked }) {
  return (
    <p className="answer-from">
      {view.workflow && (
        <>
          <Link className="link" to="/workflows/$name" params={{ name: view.workflow }}>
            {view.workflow}
          </Link>
          {' · '}
        </>
      )}
      execution{' '}
      <Link className="link mono" to="/executions/$id" params={{ id: view.execution }}>
        {view.execution}
      </Link>
      {view.opened && (
        <>
          {' · asked '}
          <Ago at={view.opened} />
        </>
      )}
      {view.launched_by && <> · launched by {view.launched_by}</>}
      {view.kind !== 'approve' && <> · {expected(view)}</>}
    </p>
  );
}

/** The address of one question, for somebody else. */
export function linkTo(view: Asked): string {
  return `${location.origin}${location.pathname}#/?task=${encodeURIComponent(taskId(view))}`;
}

const TOLD_MS = 2_000;

/** Copy something, and say so for a moment. */
export function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  return [
    copied,
    (text) =>
      void copyText(text).then((done) => {
        setCopied(done);
        window.setTimeout(() => setCopied(false), TOLD_MS);
      }),
  ];
}

function CopyLink({ view }: { view: Asked }) {
  const [copied, copy] = useCopied();
  return (
    <ActionIcon
      className="answer-link"
      variant="subtle"
      color="gray"
      aria-label={copied ? 'Link copied' : 'Copy link'}
      onClick={() => copy(linkTo(view))}
    >
      {copied ? <IconCheck size={16} /> : <IconLink size={16} />}
    </ActionIcon>
  );
}
