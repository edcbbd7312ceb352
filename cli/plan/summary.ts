/** The last line of a plan: how much is placed, and all that would be worse than before. */
import type { Displaced, Plan } from '#engine/plan.ts';
import { counted } from './lines.ts';

export const summary = (plan: Plan): string => {
  const { placements, verdict, drain, nodeLoss = [] } = plan;
  const placed = `Plan: ${counted(placements.length, 'pod')} placed`;
  if (verdict.ok) return `${placed}, nothing changes for the worse.`;
  const lost = nodeLoss.filter(({ survives }) => !survives);
  // What the verdict counts of lost nodes is told by itself: these do not happen together.
  const pending = verdict.pending - sum(nodeLoss.map(lossPending));
  const evict = verdict.evict - sum(nodeLoss.map(({ preemptions }) => preemptions.flatMap(one => one.victims).length));
  const faults = [
    ...(pending === 0 ? [] : [`${counted(pending, 'pod')} would be pending`]),
    ...(evict === 0 ? [] : [`${counted(evict, 'pod')} would be evicted`]),
    ...(verdict.blocked === 0
      ? []
      : [`${counted(verdict.blocked, 'pod')} would block the drain of ${drain?.node ?? ''}`]),
  ];
  const loss =
    lost.length === 0
      ? ''
      : ` ${lossText(
          lost.map(({ node }) => node),
          nodeLoss.length,
        )}`;
  return `${[placed, ...faults].join(', ')}.${loss}`;
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const isPending = ({ pending }: Displaced): boolean => pending !== undefined;

const lossPending = ({ displaced, preemptions }: NonNullable<Plan['nodeLoss']>[number]): number =>
  [...displaced, ...preemptions.flatMap(({ victims }) => victims)].filter(isPending).length;

const fewNames = 3;

const lossText = (lost: readonly string[], of: number): string => {
  const names = lost.slice(0, fewNames).join(', ');
  const more = lost.length > fewNames ? ` and ${lost.length - fewNames} more` : '';
  if (of === 1) return `The loss of ${names} would not be survived.`;
  return `Of ${of} nodes ${lost.length} could not be lost: ${names}${more}.`;
};
