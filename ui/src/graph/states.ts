/** How the nodes of an execution look together: a frame by what is in it, and what never ran by why it did not. */
import type { NodeView } from '../api/types';
import type { Item } from './model';
import { appearance, asksPeople, ENDED, failureLook, LEFT_OUT } from './phases';

/** What a frame shows of its inside: the first of these that is there. */
const RANKS = ['WAITING', 'RUNNING', 'INTERRUPTED', 'HELD', 'SLEEPING'];
const SHOWN_AS: Record<string, string> = { QUEUED: 'RUNNING' };
const FAULTS = new Set(['FAILED', 'REJECTED', 'TIMED_OUT', 'ABORTED', 'NOT_REACHED']);
const REASONS: Record<string, string> = {
  not_taken: 'SKIPPED',
  upstream_failed: 'NOT_REACHED',
  withdrawn: 'WITHDRAWN',
};
const HELD: Record<string, string> = { busy: 'QUEUED', interrupted: 'INTERRUPTED' };

/** Return how a node looks by itself. One that no attempt was made for waits for those before it. */
export function ownLook({ kind, phase, attempts, began, held, failure }: NodeView): string {
  if (phase !== 'QUEUED') return failureLook(appearance(kind, phase), failure?.code);
  if (held) return HELD[held.code] ?? 'HELD';
  return attempts === 0 && began === null ? 'NOT_STARTED' : 'QUEUED';
}

/** Return what an item lies in: the branch whose case it belongs to, or what it runs in. */
export function holderOf(item: Item): string {
  return item.branch?.id ?? item.scope;
}

/** Return the items as they look together. What looks as it did is the same object as before. */
export function withLooks(items: readonly Item[]): Item[] {
  const byId = new Map(items.map((each) => [each.id, each]));
  const shown = frames(items, byId);
  const left = new Map<string, string>();
  return items.map((item) => {
    const look =
      item.phase === 'SKIPPED'
        ? leftOut(item, byId, left)
        : ENDED.has(item.phase)
          ? item.phase
          : (RANKS[shown.get(item.id) ?? -1] ?? item.phase);
    return look === item.phase ? item : looking(item, look);
  });
}

/** Return the best rank of what is inside of each frame. */
function frames(items: readonly Item[], byId: ReadonlyMap<string, Item>): Map<string, number> {
  const best = new Map<string, number>();
  for (const item of items) {
    const rank = RANKS.indexOf(SHOWN_AS[item.phase] ?? item.phase);
    if (rank < 0) continue;
    for (let up = byId.get(holderOf(item)); up !== undefined; up = byId.get(holderOf(up))) {
      if ((best.get(up.id) ?? RANKS.length) <= rank) break;
      best.set(up.id, rank);
    }
  }
  return best;
}

/** Return why an item was left out: another way was taken, something before it failed, or nobody needs its answer. */
function leftOut(item: Item, byId: ReadonlyMap<string, Item>, known: Map<string, string>): string {
  const before = known.get(item.id);
  if (before !== undefined) return before;
  known.set(item.id, 'SKIPPED'); // in case it leads back here
  const why = reasonOf(item, byId, known);
  known.set(item.id, why);
  return why;
}

function reasonOf(item: Item, byId: ReadonlyMap<string, Item>, known: Map<string, string>): string {
  const told = REASONS[item.node?.reason ?? ''];
  if (told !== undefined) return told;
  const branch = byId.get(item.branch?.id ?? item.node?.branch ?? '');
  const taken = branch?.node?.case;
  if (branch && taken !== null && taken !== undefined && taken !== item.branch?.index) return 'SKIPPED';
  if (branch && FAULTS.has(branch.phase)) return 'SKIPPED';
  if (item.node?.began && asksPeople(item)) return 'WITHDRAWN';
  const holder = byId.get(holderOf(item));
  if (holder?.phase === 'SKIPPED') return leftOut(holder, byId, known);
  const ups = item.upstream.flatMap((id) => byId.get(id) ?? []);
  const isCutOff = ups.some(
    (each) => FAULTS.has(each.phase) || (each.phase === 'SKIPPED' && leftOut(each, byId, known) === 'NOT_REACHED'),
  );
  if (isCutOff || (holder && FAULTS.has(holder.phase))) return 'NOT_REACHED';
  return 'SKIPPED';
}

const made = new WeakMap<Item, Map<string, Item>>();

function looking(item: Item, phase: string): Item {
  const variants = made.get(item) ?? new Map<string, Item>();
  made.set(item, variants);
  const before = variants.get(phase);
  if (before) return before;
  const variant = { ...item, phase };
  variants.set(phase, variant);
  return variant;
}

/** Return the one look of several items together: how far they are, and what went wrong among them. */
export function lookTogether(items: readonly Item[]): string {
  const looks = new Set(items.map((each) => each.phase));
  const [only] = looks;
  if (looks.size === 1 && only !== undefined) return only;
  const running = RANKS.find((each) => looks.has(each));
  if (running) return running;
  const worst = ['FAILED', 'REJECTED', 'TIMED_OUT', 'ABORTED'].find((each) => looks.has(each));
  if (worst) return worst;
  if ([...looks].every((each) => ENDED.has(each))) return 'SUCCEEDED';
  return looks.has('SUCCEEDED') || looks.has('QUEUED') ? 'RUNNING' : 'NOT_STARTED';
}

/** Whether an item waits for an answer itself, not only something in it. */
export function asksNow(item: Item): boolean {
  return item.phase === 'WAITING' && asksPeople(item);
}

export function isLeftOut(item: Item): boolean {
  return LEFT_OUT.has(item.phase);
}
