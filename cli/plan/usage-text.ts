/** How full the nodes are before and after, as bars for cpu and memory and in figures for what else is asked of them. */
import { milliValue, wholeValue } from '#api/quantity.ts';
import type { Plan, ResourceUsage } from '#engine/plan.ts';
import { type Lines, some, type TextOptions, table } from './lines.ts';

const bars = ['cpu', 'memory'] as const;

/** Of many nodes those that change. */
export const usageLines = ({ nodes, total }: Plan, options: TextOptions): Lines => {
  const extended = Object.keys(total).filter(name => !['cpu', 'memory', 'pods'].includes(name) && changes(total[name]));
  const isMany = some(nodes, options).rest.length > 0;
  const told = isMany ? nodes.filter(({ resources }) => Object.values(resources).some(changes)) : nodes;
  const { shown, rest } = some(told, options);
  const others = nodes.length - told.length;
  const below = [...rest, ...(others === 0 ? [] : [`… and ${others} nodes as they were (-o wide shows all)`])];
  const rows = [...shown, ...(nodes.length > 1 ? [{ node: 'TOTAL', resources: total }] : [])];
  const limits = options.wide ? ['CPU LIMITS', 'MEMORY LIMITS'] : [];
  const head = [
    'NODE',
    'CPU REQUESTS',
    'MEMORY REQUESTS',
    ...limits,
    ...extended.map(name => name.toUpperCase()),
    'PODS',
  ];
  const lines = table([
    head,
    ...rows.map(({ node, resources }) => [
      node,
      ...bars.map(name => barCell(resources[name])),
      ...(options.wide ? bars.map(name => shareText(resources[name], 'limits')) : []),
      ...[...extended, 'pods'].map(name => countText(resources[name])),
    ]),
  ]);
  return below.length === 0 ? lines : [...lines.slice(0, -1), ...below, ...lines.slice(-1)];
};

const changes = (usage: ResourceUsage | undefined): boolean =>
  usage !== undefined && usage.requests.before !== usage.requests.after;

const countText = (usage: ResourceUsage | undefined): string => {
  if (usage === undefined) return '-';
  const [before, after, all] = [usage.requests.before, usage.requests.after, usage.allocatable].map(plain);
  return `${before === after ? after : `${before} -> ${after}`} of ${all}`;
};

/** `20000`, not `20k`, and `20000.5`, not `20000500m`. */
const plain = (quantity: string): string => {
  if (/\d[kMGTPE]$/.test(quantity)) return String(wholeValue(quantity));
  return /^\d{5,}m$/.test(quantity) ? String(milliValue(quantity) / 1000) : quantity;
};

const barCell = (usage: ResourceUsage | undefined): string =>
  usage === undefined ? '-' : `${bar(usage)} ${shareText(usage, 'requests')}`;

const shareText = (usage: ResourceUsage | undefined, what: 'requests' | 'limits'): string => {
  if (usage === undefined) return '-';
  const [before, after] = [percent(share(usage, usage[what].before)), percent(share(usage, usage[what].after))];
  const now = `${after} of ${shortened(usage.allocatable)}`;
  return before === after ? now : `${before} -> ${now}`;
};

const percent = (share: number): string => (share > 0 && share < 0.01 ? '<1%' : `${Math.trunc(share * 100)}%`);

const share = ({ allocatable }: ResourceUsage, amount: string): number => {
  const whole = milliOf(allocatable);
  return whole === 0 ? 0 : milliOf(amount) / whole;
};

const milliOf = (quantity: string): number =>
  quantity.endsWith('m') ? milliValue(quantity) : wholeValue(quantity) * 1000;

/** Whole figures stay as they are; long ones of bytes are told to a tenth of a larger unit: `15.6Gi`. */
const shortened = (quantity: string): string => {
  const found = /^(\d{4,})(Ki|Mi|Gi)$/.exec(quantity);
  if (found === null) return plain(quantity);
  const units = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let [amount, unit] = [Number(found[1]), units.indexOf(found[2]!)];
  for (; amount >= 1024 && unit < units.length - 1; unit++) amount /= 1024;
  return `${Math.round(10 * amount) / 10}${units[unit]}`;
};

const barWidth = 12;

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
