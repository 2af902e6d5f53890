/** The question for somebody who may see it and not decide it: there is nothing to press, and it is said who may. */
import { Button } from '@mantine/core';
import { IconCheck, IconLink } from '../app/icons';
import { linkTo, useCopied } from './Head';
import { IconLock } from './icons';
import { Layout } from './Layout';
import { Leads } from './Leads';
import type { AnswerProps } from './Question';

export function Reader({ view, frame, top }: AnswerProps) {
  const [copied, copy] = useCopied();
  return (
    <Layout
      {...frame}
      rail={
        <>
          {top}
          <Leads view={view} />
        </>
      }
      foot={
        <>
          <div className="an-reader" role="note">
            <IconLock size={16} />
            <span>
              <b>You may read this, not decide it.</b>
              {view.who_may && <br />}
              {view.who_may}
            </span>
          </div>
          <Button
            variant="default"
            leftSection={copied ? <IconCheck size={16} /> : <IconLink size={16} />}
            onClick={() => copy(linkTo(view))}
          >
            {copied ? 'Link copied' : 'Copy link for them'}
          </Button>
        </>
      }
    />
  );
}
