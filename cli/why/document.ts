/** What `berth why -o json` prints: the report, with a sentence beside what only programs like to read. */
import type { Change } from '#engine/explain/changes.ts';
import { changeText } from '#engine/explain/edit-text.ts';
import { type Obstacle, obstacleText } from '#engine/explain/obstacle.ts';
import type { WhyReport } from './report.ts';

type Told<T> = T & { readonly text: string };

/** Fields are added, never renamed or taken away (docs/WHY.md). */
export const whyDocument = ({ now, figures, changes, ...report }: WhyReport) => ({
  apiVersion: 'berth.dev/v1',
  kind: 'Why',
  ...report,
  ...(now === undefined
    ? {}
    : { now: { ...now, groups: now.groups.map(withTexts), verdicts: now.verdicts.map(withTexts) } }),
  ...(figures === undefined ? {} : { figures: { ...figures, filters: figures.filters.map(withTexts) } }),
  ...(changes === undefined
    ? {}
    : { changes: changes.map((change): Told<Change> => ({ ...change, text: changeText(change) })) }),
});

const withTexts = <T extends { readonly obstacles: readonly Obstacle[] }>(one: T) => ({
  ...one,
  obstacles: one.obstacles.map((obstacle): Told<Obstacle> => ({ ...obstacle, text: obstacleText(obstacle) })),
});
