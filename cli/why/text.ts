/** What `berth why` says in words. Pure: the same report and instant give the same text. */
import { humanDuration } from '#api/duration.ts';
import { shownAmount } from '#engine/explain/amounts.ts';
import type { Change } from '#engine/explain/changes.ts';
import { changeText, podsText } from '#engine/explain/edit-text.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { sentence } from '../output/page.ts';
import { figuresLines } from './figures-text.ts';
import { historyLines, placedText } from './history-text.ts';
import type { LastAttempt, WhyReport } from './report.ts';
import { scoreLines } from './scores-text.ts';
import { verdictLines } from './verdicts-text.ts';
import { milliseconds, type TextOptions } from './words.ts';

export const whyText = (report: WhyReport, options: TextOptions): string => {
  const lines = [
    ...sentence(headline(report), 0, 2).map(line => options.paint('bold', line)),
    ...section(report.notes.flatMap(note => sentence(`note: ${note}`, 0, 2))),
    ...lastLines(report.lastAttempt, options),
    ...(report.failure === undefined ? [] : ['', 'on the cluster as it is now:', ...sentence(report.failure, 2)]),
    ...(report.now === undefined ? [] : nowLines(report, report.now, options)),
    ...(report.changes === undefined ? [] : changeLines(report.changes, options)),
    ...(report.history === undefined ? [] : historyLines(report.history, options)),
  ];
  return `${lines.join('\n')}\n`;
};

const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const headline = (report: WhyReport): string => {
  const { pod, state, node = '', now, schedulerName, leaving = [], gates = [] } = report;
  const name = `pod ${pod.namespace}/${pod.name}`;
  switch (state) {
    case 'deleting':
      return `${name} is being deleted: it is not scheduled any more`;
    case 'gone':
      return `${name} is gone`;
    case 'over':
      return `${name} has ended (${endText(report)}): it is not scheduled any more`;
    case 'unowned':
      return `${name} is Pending: no scheduler here has the name ${JSON.stringify(schedulerName)} that it asks for`;
    case 'gated': {
      const one = gates.length === 1;
      return `${name} is Pending: it waits until its scheduling gate${one ? ' is' : 's are'} removed: ${gates.join(', ')}`;
    }
    case 'waiting':
      return `${name} is Pending: it has been promised node ${node} and waits for ${podsText(leaving.map(key => ({ key, priority: 0 })))} to leave`;
    case 'scheduled':
      return `${name} is on node ${node}${report.deleting ? ' and being deleted' : ''}${placeOf(node, now)}`;
    case 'pending':
      if (report.failure !== undefined) return `${name} is Pending: a plugin of the scheduler fails on it`;
      return now === undefined ? `${name} is Pending` : `${name} is Pending: ${fitText(now)}`;
  }
};

const endText = ({ phase, reason, message }: WhyReport): string =>
  [reason === undefined ? phase : `${phase}, ${reason}`, ...(message === undefined ? [] : [message])].join(': ');

/** `when`: ' now', or nothing where that is said already. */
const fitText = ({ feasible, nodes, chosen }: Explanation, when = ' now'): string => {
  if (nodes === 0) return 'there are no nodes';
  if (feasible === 0) return nodes === 1 ? 'it does not fit on the only node' : `it fits on none of ${nodes} nodes`;
  return `it fits on ${feasible} of ${nodes} nodes${when}, ${chosen?.node ?? ''} is next`;
};

const placeOf = (node: string, now: Explanation | undefined): string => {
  if (now === undefined) return '';
  if (now.feasible === 0) return ', where it would not fit any more';
  const row = now.scores?.rows.find(scored => scored.node === node);
  if (row === undefined)
    return `, where it would not fit any more; ${now.chosen?.node ?? 'another'} would be taken now`;
  if (now.nodes === 1) return ', the only node there is';
  if (now.feasible === 1) return `, the only one of ${now.nodes} that it fits on`;
  const { ties = 1, best = 0 } = now.scores ?? {};
  if (row.total === best)
    return ties === 1
      ? `, the best of ${now.feasible} that it fits on`
      : `, one of ${ties} equally good ones of ${now.feasible} that it fits on`;
  return `; now ${now.chosen?.node ?? ''} would be better: this one is number ${row.rank} of ${now.feasible}`;
};

const lastLines = (last: LastAttempt | undefined, { nowMs }: TextOptions): readonly string[] => {
  if (last === undefined) return [];
  const { record, atMs, sinceMs, times = 0, message } = last;
  const ago = (ms: number): string => humanDuration(Math.max(0, nowMs - ms));
  const since = sinceMs === undefined || times < 2 ? '' : ` in ${ago(sinceMs)}`;
  const facts =
    record === undefined
      ? times < 2
        ? []
        : [`${times} times${since}`]
      : [`attempt ${record.attempt}`, `at revision ${record.revision}`, `in ${milliseconds(record.durationMs)}`];
  const when = atMs === undefined ? '' : `, ${ago(atMs)} ago`;
  const isPlaced = record?.outcome === 'scheduled';
  const head = `${isPlaced ? 'placed' : 'last attempt'}${when}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}:`;
  return ['', head, ...sentence(isPlaced ? placedText(record) : message, 2)];
};

const nowLines = (report: WhyReport, now: Explanation, options: TextOptions): readonly string[] => {
  const sampled = now.sampled
    ? ['', ...sentence(`note: the profile looks at part of the nodes only; here all ${now.nodes} were looked at`, 0, 2)]
    : [];
  const head = [...sentence(nowHead(report, now), 0, 2), ...fitLines(report, now), ...heldLines(report)];
  if (report.figures !== undefined) return ['', ...head, ...figuresLines(report.figures, now, options), ...sampled];
  const refused = now.groups.length === 0 && now.message !== '' ? sentence(now.message, 2) : [];
  const body = [
    ...refused,
    ...verdictLines(now, options),
    ...scoreLines(now, report, options),
    ...preemptionLines(now),
    ...sampled,
  ];
  return ['', ...head, ...body];
};

const nowHead = ({ state }: WhyReport, now: Explanation): string => {
  const asks = now.asks.map(({ resource, amount }) => `${resource} ${shownAmount(resource, amount)}`);
  const ports = now.ports.map(({ port, protocol }) => `host port ${port}/${protocol}`);
  const all = [...asks, ...ports];
  const what = all.length === 0 ? 'it asks for nothing' : `it asks for ${all.join(', ')}`;
  const as = { scheduled: ', without the pod itself', gated: ', as if the gates were gone' };
  return `on the cluster as it is now${state === 'scheduled' || state === 'gated' ? as[state] : ''} (${what}):`;
};

/** What of other pods stands in their headline. */
const fitLines = ({ state }: WhyReport, now: Explanation): readonly string[] =>
  state === 'gated' && now.feasible < now.nodes ? sentence(fitText(now, ''), 2) : [];

const heldLines = ({ holds = [], node = '' }: WhyReport): readonly string[] => {
  const amounts = holds.map(({ resource, amount }) => `${resource} ${shownAmount(resource, amount)}`);
  return amounts.length === 0 ? [] : sentence(`while it is resized it counts on ${node} with ${amounts.join(', ')}`, 2);
};

const preemptionLines = ({ preemption, nodes }: Explanation): readonly string[] => {
  if (preemption === undefined) return [];
  const { ineligible, candidates, candidateCount, vain, unhelpful } = preemption;
  if (ineligible !== undefined) return ['', ...sentence(`preemption: ${ineligible.replace(/\.$/, '')}`, 0, 2)];
  if (candidateCount > 0) {
    const lines = candidates.flatMap(({ node, victims, pdbViolations }) => {
      const named = victims.map(({ pod: key, priority }) => ({ key, priority }));
      const budget =
        pdbViolations === 0 ? '' : `, against ${pdbViolations} disruption budget${pdbViolations === 1 ? '' : 's'}`;
      return sentence(`on ${node}: ${podsText(named)} would go${budget}`, 2, 2);
    });
    return ['', `preemption would help on ${candidateCount} of ${nodes} nodes, the first choice first:`, ...lines];
  }
  const reasons = [
    ...(unhelpful === 0
      ? []
      : [unhelpful === nodes ? 'can help on no node' : `cannot help on ${unhelpful} of ${nodes} nodes`]),
    ...vain.map(({ reason, nodes: count }) => `on ${count} ${count === 1 ? 'node' : 'nodes'}: ${reason}`),
  ];
  return reasons.length === 0 ? [] : ['', ...sentence(`preemption: ${reasons.join('; ')}`, 0, 2)];
};

const changeLines = (changes: readonly Change[], { paint }: TextOptions): readonly string[] => {
  if (changes.length === 0) return ['', 'no small change was found that makes it fit'];
  const lines = changes.flatMap((change, i) => sentence(`${i + 1}. ${changeText(change)}`, 2, 3));
  return [
    '',
    'smallest changes that make it fit (each was tried):',
    ...lines.map(line => line.replace(/→.*/, result => paint('dim', result))),
  ];
};
