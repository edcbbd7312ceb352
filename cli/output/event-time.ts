/** When an event happened and how often, in the words of kubectl events and describe. */
import { humanDuration } from '#api/duration.ts';
import type { Event } from '#api/kinds/core.ts';
import { fromTime } from '#base/clock.ts';

type Time = string | null | undefined;

/** `5m`, or `4s (x3 over 2m)` when it was seen more than once. */
export const intervalText = (event: Event, nowMs: number): string => {
  const first = since(event.eventTime || event.firstTimestamp, nowMs);
  if (event.series) return `${since(event.series.lastObservedTime, nowMs)} (x${event.series.count} over ${first})`;
  if ((event.count ?? 0) > 1) return `${since(event.lastTimestamp, nowMs)} (x${event.count} over ${first})`;
  return first;
};

const since = (time: Time, nowMs: number): string => (time ? humanDuration(nowMs - fromTime(time)) : '<unknown>');

/** Oldest first by the last time each was seen. */
export const byLastSeen = (a: Event, b: Event): number => lastSeen(a) - lastSeen(b);

const lastSeen = (event: Event): number => {
  const time: Time = event.series?.lastObservedTime || event.lastTimestamp || event.eventTime || event.firstTimestamp;
  return time ? fromTime(time) : 0;
};
