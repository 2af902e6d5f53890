/** The parts of a question that a list truncates. */
import type { WaitingView } from '../api/types';

/** `label` is empty for the value that is to be approved. */
export type Cut = { part: string; label: string; text: string; size: number };

const SHOW = 'show.';
const LABELS: Record<string, string> = { value: '', suggested: 'Suggested answer' };

export function cutParts({ preview }: Pick<WaitingView, 'preview'>): Cut[] {
  return Object.entries(preview).map(([part, { text, size }]) => ({
    part,
    label: LABELS[part] ?? part.slice(SHOW.length),
    text,
    size,
  }));
}

export function sizeOf(cut: readonly Cut[]): number {
  return cut.reduce((sum, each) => sum + each.size, 0);
}
