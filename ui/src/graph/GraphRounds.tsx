/** The rows of a loop: one for each round that is not open, above the graph of the one that is. */
import { IconChevron } from '../app/icons';
import { figureWords } from '../show/numbers';
import { length } from '../show/time';
import { PhaseIcon, phaseWord } from './phases';
import { linesOf, type Round, type Rounds } from './rounds';

const FIGURES = 2;

type Props = {
  frame: string;
  name: string;
  phase: string;
  rounds: Rounds;
  isUnfolded: boolean;
  open: (frame: string, number: number) => void;
  unfold: (frame: string) => void;
};

export function GraphRounds({ frame, name, phase, rounds, isUnfolded, open, unfold }: Props) {
  const { word } = rounds;
  const found = rounds.rounds.find(({ number }) => number === rounds.open);
  // The last round is as far as the loop.
  const shown = found && found === rounds.rounds.at(-1) ? { ...found, phase } : found;
  return (
    <div className="grounds nodrag nopan" role="group" aria-label={`${word}s of ${name}`}>
      {linesOf(rounds, isUnfolded).map((line) =>
        'round' in line ? (
          <Row key={line.round.number} frame={frame} word={word} round={line.round} rounds={rounds} open={open} />
        ) : (
          <button key={line.from} type="button" className="ground" onClick={() => unfold(frame)}>
            <span className={`phase-${line.phase}`}>
              <PhaseIcon phase={line.phase} size={14} />
            </span>
            <span className="gr-fold">
              {word}s {line.from} to {line.to}
            </span>
            <span className="dim">
              {line.many} {phaseWord(line.phase).toLowerCase()}
            </span>
            <span className="gr-took" />
            <IconChevron size={13} className="gr-down" />
          </button>
        ),
      )}
      <div className="ground-open">
        {shown && (
          <span className={`phase-${shown.phase}`}>
            <PhaseIcon phase={shown.phase} size={14} />
          </span>
        )}
        {word} {rounds.open}
        {shown && <Figures figures={shown.figures} />}
      </div>
    </div>
  );
}

function Row({
  frame,
  word,
  round,
  rounds,
  open,
}: {
  frame: string;
  word: string;
  round: Round;
  rounds: Rounds;
  open: Props['open'];
}) {
  const isOpen = round.number === rounds.open;
  return (
    <button
      type="button"
      className={isOpen ? 'ground ground-on' : 'ground'}
      aria-pressed={isOpen}
      aria-label={`${word} ${round.number}, ${phaseWord(round.phase)}`}
      onClick={() => open(frame, isOpen ? 0 : round.number)}
    >
      <span className={`phase-${round.phase}`}>
        <PhaseIcon phase={round.phase} size={14} />
      </span>
      <span className="gr-name">
        {word} {round.number}
      </span>
      <Figures figures={round.figures} />
      <span className="gr-took dim">{tookOf(round)}</span>
      <IconChevron size={13} />
    </button>
  );
}

function Figures({ figures }: { figures: Round['figures'] }) {
  return (
    <span className="gr-figures">
      {figures.slice(0, FIGURES).map(([name, value]) => (
        <span key={name} title={`${name} ${figureWords(value, LONGEST)}`}>
          <span className="dim">{name}</span> <b>{figureWords(value, LONGEST)}</b>
        </span>
      ))}
    </span>
  );
}

function tookOf({ began, ended }: Round): string {
  return began !== null && ended !== null ? length(Date.parse(ended) - Date.parse(began)) : '';
}

const LONGEST = 24;
