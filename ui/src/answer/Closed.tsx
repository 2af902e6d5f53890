/** A question that is over: what was asked and shown, and how it ended. */
import { useEffect, useState } from 'react';
import { isObject } from '../api/json';
import { Value } from '../show/Value';
import { dropDraft, readDraft, type Draft } from './draft';
import { Layout } from './Layout';
import { Next, type Ways } from './Next';
import { headline } from './outcome';
import type { Frame } from './Question';
import { Given, Kept } from './Result';
import type { Ending } from './useTask';
import type { Asked } from './view';

/** What the server tells of an answer that came without saying what it was about. */
const UNSEEN = 'no';

type Props = {
  id: string;
  view: Asked;
  ending: Ending;
  me: string;
  /** What was typed here before it was over. */
  typed: Omit<Draft, 'at'> | undefined;
  frame: Frame;
  ways: Ways;
};

export function Closed({ id, view, ending, me, typed, frame, ways }: Props) {
  const [kept] = useState(() => typed ?? readDraft(id));
  // It is shown once more, and then no longer a draft of anything.
  useEffect(() => () => dropDraft(id), [id]);
  const { answer } = ending;
  const schema = isObject(view.schema) ? view.schema : {};
  return (
    <Layout
      {...frame}
      rail={
        <div className="closed" role="status">
          <h3>{headline(ending, view.due ?? view.ended, me)}</h3>
          {answer && !answer.by_timeout && <Given kind={ending.kind} answer={answer} />}
          {answer && ending.kind !== 'approve' && (
            <section aria-label="The answer" className="subject">
              <Value value={answer.value} type={{ schema, root: schema }} />
            </section>
          )}
          {answer && !answer.by_timeout && (
            <p className="dim small">
              {answer.shown === UNSEEN ? (
                'It is not recorded what they saw: the answer came without a digest of the question.'
              ) : (
                <>
                  What was shown: <code className="digest">{answer.shown}</code>
                </>
              )}
            </p>
          )}
          {kept && <Kept comment={kept.comment} value={kept.value} />}
        </div>
      }
      foot={<Next view={view} ways={ways} />}
    />
  );
}
