/** What `berth why` says in words. Pure: the same report and instant give the same text. */
import { humanDuration } from '#api/duration.ts';
import { shownAmount } from '#engine/explain/amounts.ts';
import type { Change } from '#engine/explain/changes.ts';
import { editText, podsText } from '#engine/explain/edit-text.ts';
import type { Explanation } from '#engine/explain/why.ts';
import { figuresLines } from './figures-text.ts';
import { historyLines, placedText } from './history-text.ts';
import type { LastAttempt, WhyReport } from './report.ts';
import { scoreLines } from './scores-text.ts';
import { verdictLines } from './verdicts-text.ts';
import { milliseconds, type TextOptions } from './words.ts';

export const whyText = (report: WhyReport, options: TextOptions): string => {
  const lines = [
    options.paint('bold', headline(report)),
    ...section(report.notes.map(note => `note: ${note}`)),
    ...lastLines(report.lastAttempt, options),
    ...(report.now === undefined ? [] : nowLines(report, report.now, options)),
    ...(report.changes === undefined ? [] : changeLines(report.changes, options)),
    ...(report.history === undefined ? [] : historyLines(report.history, options)),
  ];
  return `${lines.join('\n')}\n`;
};

const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const headline = ({ pod, state, node = '', now, schedulerName, leaving = [], phase }: WhyReport): string => {
  const name = `pod ${pod.namespace}/${pod.name}`;
  switch (state) {
    case 'deleting':
      return `${name} is being deleted: it is not scheduled any more`;
    case 'over':
      return `${name} has ended (${phase}): it is not scheduled any more`;
    case 'unowned':
      return `${name} is Pending: no scheduler here has the name ${JSON.stringify(schedulerName)} that it asks for`;
    case 'gated':
      return `${name} is Pending: it waits until its scheduling gates are removed: ${gatesOf(now)}`;
    case 'waiting':
      return `${name} is Pending: it has been promised node ${node} and waits for ${podsText(leaving.map(key => ({ key, priority: 0 })))} to leave`;
    case 'scheduled':
      return `${name} is on node ${node}${placeOf(node, now)}`;
    case 'pending':
      return now === undefined ? `${name} is Pending` : `${name} is Pending: ${fitText(now)}`;
  }
};

const gatesOf = (now: Explanation | undefined): string => /\[(.*)\]/.exec(now?.message ?? '')?.[1] ?? '';

const fitText = ({ feasible, nodes, chosen }: Explanation): string => {
  if (nodes === 0) return 'there are no nodes';
  if (feasible === 0) return nodes === 1 ? 'it does not fit on the only node' : `it fits on none of ${nodes} nodes`;
  return `it fits on ${feasible} of ${nodes} nodes now, ${chosen?.node ?? ''} is next`;
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
  const ago = last.atMs === undefined ? '' : `, ${humanDuration(Math.max(0, nowMs - last.atMs))} ago`;
  const since = last.sinceMs === undefined ? '' : ` in ${humanDuration(Math.max(0, nowMs - last.sinceMs))}`;
  const times = last.times === undefined || last.times < 2 ? '' : ` (${last.times} times${since})`;
  const { record } = last;
  const took =
    record === undefined
      ? ''
      : ` (attempt ${record.attempt}, at revision ${record.revision}, in ${milliseconds(record.durationMs)})`;
  if (record?.outcome === 'scheduled') return ['', `placed${ago}${took}: ${placedText(record)}`];
  return ['', `last attempt${ago}${times}${took}:`, `  ${last.message}`];
};

const nowLines = (report: WhyReport, now: Explanation, options: TextOptions): readonly string[] => {
  if (report.state === 'gated') return [];
  const asks = now.asks.map(({ resource, amount }) => `${resource} ${shownAmount(resource, amount)}`);
  const what = asks.length === 0 ? 'it asks for nothing' : `it asks for ${asks.join(', ')}`;
  const head = `on the cluster as it is now${report.state === 'scheduled' ? ', without the pod itself' : ''} (${what}):`;
  const sampled = now.sampled
    ? ['', `note: the profile looks at part of the nodes only; here all ${now.nodes} were looked at`]
    : [];
  if (report.figures !== undefined) return ['', head, ...figuresLines(report.figures, now, options), ...sampled];
  const refused = now.groups.length === 0 && now.message !== '' ? [`  ${now.message}`] : [];
  const body = [
    ...refused,
    ...verdictLines(now, options),
    ...scoreLines(now, report, options),
    ...preemptionLines(now),
    ...sampled,
  ];
  return body.length === 0 ? [] : ['', head, ...body];
};

const preemptionLines = ({ preemption, nodes }: Explanation): readonly string[] => {
  if (preemption === undefined) return [];
  const { ineligible, candidates, candidateCount, vain, unhelpful } = preemption;
  if (ineligible !== undefined) return ['', `preemption: ${ineligible.replace(/\.$/, '')}`];
  if (candidateCount > 0) {
    const lines = candidates.map(({ node, victims, pdbViolations }) => {
      const named = victims.map(({ pod: key, priority }) => ({ key, priority }));
      const budget =
        pdbViolations === 0 ? '' : `, against ${pdbViolations} disruption budget${pdbViolations === 1 ? '' : 's'}`;
      return `  on ${node}: ${podsText(named)} would go${budget}`;
    });
    return ['', `preemption would help on ${candidateCount} of ${nodes} nodes, the first choice first:`, ...lines];
  }
  const reasons = [
    ...(unhelpful === 0
      ? []
      : [unhelpful === nodes ? 'can help on no node' : `cannot help on ${unhelpful} of ${nodes} nodes`]),
    ...vain.map(({ reason, nodes: count }) => `on ${count}: ${reason}`),
  ];
  return reasons.length === 0 ? [] : ['', `preemption: ${reasons.join('; ')}`];
};

const changeLines = (changes: readonly Change[], { paint }: TextOptions): readonly string[] => {
  if (changes.length === 0) return ['', 'no small change was found that makes it fit'];
  const lines = changes.map(({ edits, node, victims }, i) => {
    const where = edits.some(({ is }) => is === 'addNode') ? '' : ` → ${node}`;
    const cost = victims.length === 0 ? '' : `, pushing out ${podsText(victims)}`;
    return `  ${i + 1}. ${edits.map(editText).join(', and ')}${paint('dim', where + cost)}`;
  });
  return ['', 'smallest changes that make it fit (each was tried):', ...lines];
};
