/** Durations for people, as kubectl's AGE column writes them (apimachinery util/duration, HumanDuration). */

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Two units at most, the coarser the longer: `90s`, `5m30s`, `3h12m`, `2d4h`, `3y20d`. More than a second negative: `<invalid>`. */
export const humanDuration = (ms: number): string => {
  const seconds = Math.trunc(ms / secondMs);
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(ms / minuteMs);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(ms / hourMs);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (years < 8) return twoUnits(years, 'y', days % 365, 'd');
  return `${years}y`;
};

/** The time since an RFC 3339 instant, or `<unknown>` when there is none. */
export const age = (time: string | undefined | null, nowMs: number): string =>
  time === undefined || time === null || time === '' ? '<unknown>' : humanDuration(nowMs - Date.parse(time));

const twoUnits = (major: number, majorUnit: string, minor: number, minorUnit: string): string =>
  minor === 0 ? `${major}${majorUnit}` : `${major}${majorUnit}${minor}${minorUnit}`;
