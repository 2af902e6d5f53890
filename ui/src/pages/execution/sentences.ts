/** The events of a history in words. */
import { isObject } from '../../api/json';
import type { EventView } from '../../api/types';

const KINDS: Record<string, string> = {
  TaskStarted: 'started',
  TaskSucceeded: 'succeeded',
  TaskUnfolded: 'unfolded into a graph',
  TaskFailed: 'failed',
  TaskLost: 'was lost',
  AnswerGiven: 'was answered',
};
const WHOLE: Record<string, string> = {
  Launched: 'Launched',
  TakenUp: 'Taken up by a server',
  GivenBack: 'Given back by a server',
  AbortRequested: 'Terminated',
  RecoveryRequested: 'Recovered',
  EnvironmentDiffers: 'The environment differs from that of the launch',
  ClockSetBack: 'The clock of the machine was set back',
  Damaged: 'This line cannot be read',
};

/** Return what an event says: the node by name, what happened to it, and who did it. A kind without words is shown as it is called. */
export function sentenceOf({ kind, details }: EventView, names: ReadonlyMap<string, string>): string {
  const node = typeof details.node === 'string' ? details.node : '';
  const who = typeof details.who === 'string' && details.who !== '' ? ` by ${details.who}` : '';
  if (node === '') return `${WHOLE[kind] ?? spaced(kind)}${who}`;
  const name = nameOf(node, names);
  const what = kind === 'TimerFired' ? timed(details, node) : (KINDS[kind] ?? spaced(kind).toLowerCase());
  const attempt = typeof details.attempt === 'number' && details.attempt > 1 ? ` on attempt ${details.attempt}` : '';
  const why = typeof details.failure === 'string' ? `: ${details.failure.split('\n', 1)[0] ?? ''}` : '';
  return `${name} ${what}${attempt}${who}${why}`;
}

function timed({ changes }: EventView['details'], node: string): string {
  const phase = isObject(changes) ? changes[node] : undefined;
  if (phase === 'QUEUED') return 'is tried again';
  return phase === 'TIMED_OUT' ? 'timed out' : 'woke up';
}

function spaced(kind: string): string {
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A node of an earlier round is no longer there, and is called as those that took its place. */
function nameOf(id: string, names: ReadonlyMap<string, string>): string {
  const known = names.get(id);
  if (known !== undefined) return known;
  const [, loop, round, rest] = /^(.*?)(?:~(\d+))?\/(.*)$/.exec(id) ?? [];
  if (loop === undefined) return id;
  const alike = [...names].find(([each]) => each.startsWith(`${loop}~`) && each.endsWith(`/${rest}`));
  return alike === undefined ? id : `${alike[1]}, round ${round ?? 1},`;
}
