/** The table of events at the end of a description. */
import type { Event } from '#api/kinds/core.ts';
import { byLastSeen, intervalText } from '../output/event-time.ts';
import type { Page } from './page.ts';

/** What happened to the object; undefined: not asked for, nothing is said. */
export type Events = readonly Event[] | undefined;

export const eventLines = (page: Page, events: Events, nowMs: number): void => {
  if (events === undefined) return;
  if (events.length === 0) {
    page.line(0, 'Events:\t<none>');
    return;
  }
  page.flush();
  page.line(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage');
  page.line(1, '----\t------\t----\t----\t-------');
  for (const event of [...events].sort(byLastSeen)) {
    const source = event.source?.component || event.reportingComponent || '';
    const message = (event.message ?? '').trim();
    page.line(1, `${event.type ?? ''}\t${event.reason ?? ''}\t${intervalText(event, nowMs)}\t${source}\t${message}`);
  }
};
