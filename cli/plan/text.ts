/** A plan as people read it: what goes where, what does not, who has to make room, and how full the nodes get. */
import { milliValue, wholeValue } from '#api/quantity.ts';
import type {
  Displaced,
  NodeLoss,
  PendingPod,
  Placement,
  Plan,
  PlannedPreemption,
  ResourceUsage,
} from '#engine/plan.ts';
import { alignTabs, tableTabs } from '../output/tabwriter.ts';

export interface TextOptions {
  readonly wide: boolean;
}

export const planText = (plan: Plan, { wide }: TextOptions): string => {
  const sections = [
    placementTable(plan.placements, wide),
    section(
      'Pending',
      grouped(plan.pending.map(one => ({ head: `${one.pod}: ${changeText(one)}`, message: one.message }))),
    ),
    section('Preempted', plan.preemptions.flatMap(preemptionLines)),
    section(
      'Removed',
      plan.removed.map(({ pod, node, why }) => `${pod}${node === undefined ? '' : ` on ${node}`}: ${why}`),
    ),
    objectTable(plan, wide),
    drainText(plan),
    lossTable(plan.nodeLoss, wide),
    usageTable(plan, wide),
    plan.notes.map(note => `Note: ${note}\n`).join(''),
    `${summary(plan)}\n`,
  ];
  return sections.filter(text => text !== '').join('\n');
};

const table = (rows: readonly (readonly string[])[]): string =>
  `${alignTabs(rows.map(cells => cells.join('\t')).join('\n'), tableTabs)}\n`;

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}:\n${lines.map(line => `  ${line}\n`).join('')}`;

const placementTable = (placements: readonly Placement[], wide: boolean): string => {
  if (placements.length === 0) return '';
  const head = ['POD', 'NODE', 'SCORE', ...(wide ? ['PRIORITY', 'FITS', 'TIES'] : []), 'CHANGE'];
  const shown = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const rows = placements.map(one => [
    one.pod,
    one.node,
    shown(one.score),
    ...(wide ? [String(one.priority), shown(one.feasible), shown(one.ties)] : []),
    changeText(one),
  ]);
  return table([head, ...rows]);
};

const changeText = ({ change, owner, from, ...rest }: Placement | PendingPod): string => {
  const words = { new: 'new', replaced: 'replaced', moved: `moved from ${from}`, waiting: 'was pending' }[change];
  const more = [...(owner === undefined ? [] : [owner]), ...('fixed' in rest ? ['node named by the manifest'] : [])];
  return more.length === 0 ? words : `${words} (${more.join(', ')})`;
};

/** Pods that share a message stand above it together. */
const grouped = (lines: readonly { readonly head: string; readonly message: string }[]): readonly string[] => {
  const byMessage = new Map<string, string[]>();
  for (const { head, message } of lines) {
    const heads = byMessage.get(message);
    if (heads === undefined) byMessage.set(message, [head]);
    else heads.push(head);
  }
  return [...byMessage].flatMap(([message, heads]) => [...heads, `  ${message}`]);
};

const preemptionLines = ({ by, node, victims, pdbViolations }: PlannedPreemption): readonly string[] => [
  `on ${node}, for ${by}${pdbViolations === 0 ? '' : ` (against ${counted(pdbViolations, 'disruption budget')})`}:`,
  ...displacedLines(victims).map(line => `  ${line}`),
];

const displacedText = (one: Displaced): string => {
  const { to, pending } = one;
  if (to !== undefined) return `${displacedHead(one)}: moves to ${to}`;
  return pending === undefined
    ? `${displacedHead(one)}: lost, nothing makes it again`
    : `${displacedHead(one)}: pending, ${pending}`;
};

const displacedHead = ({ pod, owner, priority }: Displaced): string =>
  `${pod} (${owner === undefined ? '' : `${owner}, `}priority ${priority})`;

/** Those that find a node or are lost, then those that wait, by what they wait for. */
const displacedLines = (all: readonly Displaced[]): readonly string[] => [
  ...all.filter(one => one.pending === undefined).map(displacedText),
  ...grouped(
    all.flatMap(one =>
      one.pending === undefined ? [] : [{ head: `${displacedHead(one)}: pending`, message: one.pending }],
    ),
  ),
];

/** Objects that are no pods, and pods that stay as they are; with -o wide all. */
const objectTable = ({ objects }: Plan, wide: boolean): string => {
  const shown = objects.filter(one => wide || one.kind !== 'Pod' || one.change !== 'created');
  if (shown.length === 0) return '';
  const nameOf = (one: (typeof shown)[number]): string =>
    `${one.kind}/${one.namespace === undefined ? '' : `${one.namespace}/`}${one.name}`;
  return table([
    ['OBJECT', 'CHANGE'],
    ...shown.map(one => [nameOf(one), one.change + (one.note ? ` (${one.note})` : '')]),
  ]);
};

const drainText = ({ drain }: Plan): string => {
  if (drain === undefined) return '';
  const { node, evicted, blocked, staying, preemptions } = drain;
  const lines = [
    ...displacedLines(evicted),
    ...blocked.map(({ pod, message }) => `${pod}: blocked. ${message}`),
    ...staying.map(pod => `${pod}: stays, it belongs to the node`),
    ...preemptions.flatMap(preemption => preemptionLines(preemption).map(line => `preempted ${line}`)),
  ];
  return section(`Drain of ${node}`, lines.length === 0 ? ['no pods on it'] : lines);
};

const lossTable = (losses: readonly NodeLoss[] | undefined, wide: boolean): string => {
  if (losses === undefined) return '';
  const rows = losses.map(({ node, survives, displaced, preemptions }) => {
    const count = (has: (one: Displaced) => unknown): string => String(displaced.filter(has).length);
    const victims = preemptions.flatMap(preemption => preemption.victims).length;
    const cells = [count(one => one.to), count(one => one.pending), count(one => one.lost), String(victims)];
    return [node, survives ? 'yes' : 'no', ...cells];
  });
  const details = losses.flatMap(({ node, displaced, preemptions }) => {
    const shown = displaced.filter(one => wide || one.to === undefined);
    const lines = [...displacedLines(shown), ...preemptions.flatMap(preemptionLines)];
    return lines.length === 0 ? [] : [section(`Without ${node}`, lines)];
  });
  return [table([['LOST NODE', 'SURVIVES', 'MOVED', 'PENDING', 'LOST', 'PREEMPTED'], ...rows]), ...details].join('\n');
};

const barWidth = 20;
const shownResources = ['cpu', 'memory'] as const;

const usageTable = ({ nodes, total }: Plan, wide: boolean): string => {
  const all = [...nodes, ...(nodes.length > 1 ? [{ node: 'TOTAL', resources: total }] : [])];
  const limits = wide ? ['CPU LIMITS', 'MEMORY LIMITS'] : [];
  const rows = all.map(({ node, resources }) => [
    node,
    ...shownResources.map(name => usageCell(resources[name])),
    ...(wide ? shownResources.map(name => shareText(resources[name], 'limits')) : []),
    podsText(resources['pods']),
  ]);
  return table([['NODE', 'CPU REQUESTS', 'MEMORY REQUESTS', ...limits, 'PODS'], ...rows]);
};

const podsText = (usage: ResourceUsage | undefined): string => {
  if (usage === undefined) return '-';
  const { before, after } = usage.requests;
  return `${before === after ? after : `${before} -> ${after}`} of ${usage.allocatable}`;
};

const usageCell = (usage: ResourceUsage | undefined): string =>
  usage === undefined ? '-' : `${bar(usage)} ${shareText(usage, 'requests')}`;

const shareText = (usage: ResourceUsage | undefined, what: 'requests' | 'limits'): string => {
  if (usage === undefined) return '-';
  const [before, after] = [share(usage, usage[what].before), share(usage, usage[what].after)];
  return before === after
    ? `${percent(after)} of ${usage.allocatable}`
    : `${percent(before)} -> ${percent(after)} of ${usage.allocatable}`;
};

const percent = (share: number): string => `${Math.trunc(share * 100)}%`;

const share = ({ allocatable }: ResourceUsage, amount: string): number => {
  const whole = milliOf(allocatable);
  return whole === 0 ? 0 : milliOf(amount) / whole;
};

const milliOf = (quantity: string): number =>
  quantity.endsWith('m') ? milliValue(quantity) : wholeValue(quantity) * 1000;

/** `#` in use and staying so, `+` newly in use, `-` set free, `.` free. */
const bar = (usage: ResourceUsage): string => {
  // Full only when there is nothing left, empty only when nothing is in use.
  const width = (amount: string): number => {
    const part = share(usage, amount) * barWidth;
    return part === 0 ? 0 : part >= barWidth ? barWidth : Math.min(barWidth - 1, Math.max(1, Math.round(part)));
  };
  const [before, after] = [width(usage.requests.before), width(usage.requests.after)];
  const kept = Math.min(before, after);
  const marks = '#'.repeat(kept) + '+'.repeat(after - kept) + '-'.repeat(before - kept);
  return `[${marks.padEnd(barWidth, '.')}]`;
};

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const summary = ({ placements, verdict }: Plan): string => {
  const faults = [
    ...(verdict.pending === 0 ? [] : [`${counted(verdict.pending, 'pod')} would be pending`]),
    ...(verdict.evict === 0 ? [] : [`${counted(verdict.evict, 'pod')} would be evicted`]),
    ...(verdict.blocked === 0 ? [] : [`${counted(verdict.blocked, 'pod')} would block the drain`]),
  ];
  const placed = `${counted(placements.length, 'pod')} placed`;
  return verdict.ok ? `Plan: ${placed}, nothing changes for the worse.` : `Plan: ${placed}, ${faults.join(', ')}.`;
};
