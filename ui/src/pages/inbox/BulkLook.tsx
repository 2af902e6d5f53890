import { Anchor, Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import { entryKey, taskId } from '../../api/queries';
import type { WaitingView } from '../../api/types';
import { IconAlert } from '../../app/icons';
import { useIsPhone } from '../../app/phone';
import { brief } from '../../show/brief';
import { cutParts } from '../../show/cut';
import { columnsOf, figureWords, isNumber, sumsOf } from './figures';
import { subject } from './QuestionRow';
import './bulk.css';

type Props = {
  views: WaitingView[];
  progress: number | undefined;
  onDecide: (value: boolean, comment: string, views: WaitingView[]) => void;
  onClose: () => void;
};

const CHOICES = [
  { value: true, word: 'Approve', effect: 'Each execution continues.' },
  { value: false, word: 'Reject', effect: 'Each execution fails, unless its workflow says otherwise.' },
] as const;

const WHOLE = 200;

/** All that is to be decided at once, one by one with its figures, before any decision can be pressed. None is preselected. */
export function BulkLook({ views, progress, onDecide, onClose }: Props) {
  const isPhone = useIsPhone();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [choice, setChoice] = useState<boolean>();
  const [comment, setComment] = useState('');
  const taken = views.filter((each) => !left.has(entryKey(each)));
  const cut = taken.filter(isCut);
  const sums = sumsOf(taken);
  const isSending = progress !== undefined;
  const word = CHOICES.find((each) => each.value === choice)?.word;
  const leave = (gone: readonly WaitingView[]) => setLeft(new Set([...left, ...gone.map(entryKey)]));
  const toggle = (key: string) => {
    const next = new Set(left);
    if (!next.delete(key)) next.add(key);
    setLeft(next);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnEscape={!isSending}
      closeOnClickOutside={false}
      size="min(1080px, 100%)"
      fullScreen={isPhone}
      padding={0}
      classNames={{ content: 'look', header: 'look-head', body: 'look-body' }}
      title={`${taken.length} ${taken.length === 1 ? 'question' : 'questions'}${sums.map(([name, sum]) => `, ${name} ${sum}`).join('')}`}
      closeButtonProps={{ 'aria-label': 'Close', disabled: isSending }}
    >
      <p className="look-about dim small">
        {views[0]?.workflow}, gate {[...new Set(views.map((each) => each.name))].join(', ')}. Each is decided by itself;
        one that cannot be decided does not stop the others.
      </p>
      <div className="look-rows" tabIndex={0} role="group" aria-label="What is decided">
        <LookTable views={views} left={left} onToggle={toggle} />
      </div>
      <div className="look-decide">
        <fieldset disabled={isSending}>
          <legend className="vh">Decision for all</legend>
          {CHOICES.map((each) => (
            <label key={each.word} className={choice === each.value ? 'opt opt-on' : 'opt'}>
              <input
                type="radio"
                name="decision"
                checked={choice === each.value}
                onChange={() => setChoice(each.value)}
              />
              <span>
                <b>{each.word}</b>
                <small>{each.effect}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <TextInput
          label={`Comment for all ${taken.length} (optional)`}
          placeholder="Stored with each decision"
          value={comment}
          disabled={isSending}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
      </div>
      <div className="look-foot">
        <span className="look-warn" role="status">
          {isSending && `${progress} of ${taken.length} sent`}
          {!isSending && cut.length > 0 && (
            <>
              <IconAlert size={16} /> {cut.length} of {taken.length} {cut.length === 1 ? 'is' : 'are'} not shown in full
              here: open {cut.length === 1 ? 'it' : 'them'}, or{' '}
              <Anchor component="button" type="button" fz="sm" underline="always" onClick={() => leave(cut)}>
                leave {cut.length === 1 ? 'it' : 'them'} out
              </Anchor>
            </>
          )}
        </span>
        <Button variant="default" onClick={onClose} disabled={isSending}>
          Cancel
        </Button>
        <Button
          className={choice === true ? 'approve' : choice === false ? 'reject' : undefined}
          disabled={choice === undefined || taken.length === 0}
          loading={isSending}
          onClick={() => choice !== undefined && onDecide(choice, comment, taken)}
        >
          {word ? `${word} ${taken.length}` : 'Choose a decision'}
        </Button>
      </div>
    </Modal>
  );
}

export function isCut(view: WaitingView): boolean {
  return cutParts(view).length > 0;
}

function LookTable({
  views,
  left,
  onToggle,
}: {
  views: WaitingView[];
  left: ReadonlySet<string>;
  onToggle: (key: string) => void;
}) {
  const columns = columnsOf(views);
  return (
    <table className="look-table">
      <thead>
        <tr>
          <th>
            <span className="vh">Decided</span>
          </th>
          <th>Title</th>
          {columns.map((name) => (
            <th key={name} className={views.every((each) => isNumber(each.figures[name])) ? 'num' : undefined}>
              {name}
            </th>
          ))}
          <th>Subject</th>
        </tr>
      </thead>
      <tbody>
        {views.map((view, index) => {
          const key = entryKey(view);
          const title = view.title || view.name;
          return (
            <tr key={key} className={left.has(key) ? 'look-left' : undefined}>
              <td className="look-pick">
                <Checkbox
                  size="sm"
                  aria-label={`Decide ${title} of ${view.execution}`}
                  data-autofocus={index === 0 ? true : undefined}
                  checked={!left.has(key)}
                  onChange={() => onToggle(key)}
                />
              </td>
              <td className="look-title">
                <Anchor
                  href={`#/?task=${encodeURIComponent(taskId(view))}`}
                  target="_blank"
                  fz="sm"
                  dir="auto"
                  title={`Open ${title} of ${view.execution} in another tab`}
                >
                  {title}
                </Anchor>
              </td>
              {columns.map((name) => (
                <td key={name} className={isNumber(view.figures[name]) ? 'num' : undefined} data-name={name} dir="auto">
                  {view.figures[name] === undefined ? '' : figureWords(view.figures[name])}
                </td>
              ))}
              <td className="look-subject" title={view.value === undefined ? undefined : brief(view.value, 2_000)}>
                {isCut(view) && <span className="soon">cut </span>}
                <span dir="auto">{subject(view).slice(0, WHOLE)}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
