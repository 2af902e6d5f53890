/** What became of a decision: stored, with what happens now; or too late, with who was faster. What was typed is there. */
import { ActionIcon, Button, Modal } from '@mantine/core';
import { useEffect } from 'react';
import { announce } from '../app/announce';
import { IconCheck, IconX } from '../app/icons';
import { isObject, type Json } from '../api/json';
import { clock, exact, span } from '../show/time';
import { brief } from '../show/brief';
import { useCopied } from './Head';
import { IconCopy, IconInfo } from './icons';
import { Next, type Ways } from './Next';
import { door, headline, notStored, verb } from './outcome';
import { Sentence } from './Sentence';
import type { Result as Outcome } from './useDecision';
import { useSettling } from './useSettling';
import type { Ending } from './useTask';
import { leadOf, titleOf, type Asked } from './view';

type Props = { view: Asked; result: Outcome; ending: Ending | undefined; me: string; ways: Ways; onClose: () => void };

export function Result({ view, result, ending, me, ways, onClose }: Props) {
  // The second click of a double click was meant for the button that decided.
  const settling = useSettling(false);
  return (
    <div className={settling ? 'an-result settling' : 'an-result settled'}>
      <ActionIcon className="an-result-close" variant="subtle" color="gray" aria-label="Close" onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
      {result.how === 'mine' ? (
        <Mine view={view} result={result} />
      ) : (
        <Lost view={view} result={result} ending={ending} me={me} />
      )}
      <Next view={view} ways={ways} />
    </div>
  );
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function Mine({ view, result }: { view: Asked; result: Extract<Outcome, { how: 'mine' }> }) {
  const { value, comment } = result.pressed;
  const word = verb(view.kind, value);
  const lead = leadOf(result.pressed, view.kind !== 'approve' ? 'answer' : value === true ? 'approve' : 'reject');
  const fails = lead?.ends === 'fails';
  const told = `${capital(word)}: ${titleOf(view)}. ${lead?.text ? capital(lead.text).replaceAll('`', '') : ''}`;
  useEffect(() => announce(told), [told]);
  return (
    <>
      <Top mark={word === 'rejected' ? 'no' : 'yes'} title={`${capital(word)}: ${titleOf(view)}`}>
        By you at <time title={exact(result.at)}>{clock(result.at)}</time>.
        {comment && ' Your comment is stored with it.'}
      </Top>
      <ol className="an-steps">
        {view.kind !== 'approve' && (
          <li>
            <IconCheck size={16} className="ok" />
            <span dir="auto">
              Your answer: <b>{brief(value)}</b>
            </span>
          </li>
        )}
        {lead?.text && (
          <li>
            {fails ? <IconX size={16} className="bad" /> : <IconCheck size={16} className="ok" />}
            {/* A name keeps its first letter. */}
            <span className={lead.text.startsWith('`') ? undefined : 'an-clause'}>
              <Sentence text={lead.text} />.
            </span>
          </li>
        )}
        <li className="dim">
          <IconInfo size={16} />
          <span>This is final: it has effect at once.</span>
        </li>
      </ol>
    </>
  );
}

type LostProps = Pick<Props, 'view' | 'ending' | 'me'> & { result: Extract<Outcome, { how: 'lost' }> };

function Lost({ view, result, ending, me }: LostProps) {
  const { pressed, error } = result;
  const answer = ending?.answer;
  const facts = isObject(error.facts) ? error.facts : {};
  const who = answer?.who ?? text(facts.who);
  const at = date(answer?.at ?? text(facts.at));
  const gone = notStored(view.kind, pressed.value);
  const before = at && pressed.at > at ? `, ${span(pressed.at.getTime() - at.getTime(), 1)} before you` : '';
  const title = ending
    ? `${headline(ending, view.due ?? view.ended, me)}${answer && !answer.by_timeout ? before : ''}`
    : who
      ? `Already decided by ${who}`
      : 'Not stored';
  const told = `${title}. ${gone}`;
  useEffect(() => announce(told, 'assertive'), [told]);
  return (
    <>
      <Top mark="late" title={title}>
        <span dir="auto">{titleOf(view)}.</span> {gone}
      </Top>
      {answer && !answer.by_timeout ? (
        <Given kind={view.kind} answer={answer} />
      ) : (
        !ending && <p className="an-block dim small">{error.message}</p>
      )}
      <Kept comment={pressed.comment} value={view.kind === 'approve' ? undefined : pressed.value} />
    </>
  );
}

const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
const date = (at: string | undefined) => (at === undefined ? undefined : new Date(at));

/** The decision of somebody else. */
export function Given({ kind, answer }: { kind: string; answer: NonNullable<Ending['answer']> }) {
  const word = verb(kind, answer.value);
  const at = new Date(answer.at);
  return (
    <div className="an-block">
      <p>
        <b dir="auto">{answer.who}</b> <span className={word === 'rejected' ? 'bad' : 'ok'}>{word}</span>{' '}
        <span className="dim num">
          <time dateTime={at.toISOString()} title={exact(at)}>
            {clock(at)}
          </time>
          {door(answer) && `, ${door(answer)}`}
        </span>
      </p>
      {answer.comment && (
        <blockquote className="an-quote" dir="auto">
          {answer.comment}
        </blockquote>
      )}
    </div>
  );
}

/** What somebody typed and could not send. */
export function Kept({ comment, value }: { comment: string; value: Json | undefined }) {
  const [copied, copy] = useCopied();
  const answer = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, undefined, 1);
  const words = [answer, comment].filter(Boolean).join('\n');
  if (words === '') return null;
  return (
    <div className="an-block">
      <h3>{answer ? 'What you typed was kept' : 'Your comment was kept'}</h3>
      <blockquote className="an-quote dim" dir="auto">
        {words}
      </blockquote>
      <Button size="xs" variant="default" mt={8} leftSection={<IconCopy size={14} />} onClick={() => copy(words)}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}

type TopProps = { mark: 'yes' | 'no' | 'late'; title: string; children: React.ReactNode };

function Top({ mark, title, children }: TopProps) {
  return (
    <div className="an-result-top">
      <span className={`an-result-mark an-result-${mark}`}>
        {mark === 'yes' ? <IconCheck size={20} /> : mark === 'no' ? <IconX size={20} /> : <IconInfo size={20} />}
      </span>
      <Modal.Title className="answer-title" dir="auto">
        {title}
      </Modal.Title>
      <p className="dim">{children}</p>
    </div>
  );
}
