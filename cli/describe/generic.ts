/** Any kind: its head, then every field under a readable label, as kubectl describes kinds it has no layout for. */
import type { AnyObject } from '../read.ts';
import { type Events, eventLines } from './events.ts';
import { annotationLines, mapLines, Page } from './page.ts';

export const describeAny = (object: AnyObject, events: Events, nowMs: number): string => {
  const page = new Page();
  page.line(0, `Name:\t${object.metadata.name}`);
  page.line(0, `Namespace:\t${object.metadata.namespace ?? ''}`);
  mapLines(page, 'Labels', object.metadata.labels);
  annotationLines(page, object.metadata.annotations);
  fieldLines(page, 0, object, '');
  eventLines(page, events, nowMs);
  return page.text();
};

const shownAbove = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);

const fieldLines = (page: Page, level: number, map: object, path: string): void => {
  for (const key of Object.keys(map).sort()) {
    const value = (map as Record<string, unknown>)[key];
    const at = `${path}.${key}`;
    if (shownAbove.has(at)) continue;
    if (Array.isArray(value)) {
      page.line(level, `${labelOf(key)}:`);
      for (const item of value) {
        if (typeof item === 'object' && item !== null) fieldLines(page, level + 1, item, at);
        else page.line(level + 1, String(item));
      }
    } else if (typeof value === 'object' && value !== null) {
      page.line(level, `${labelOf(key)}:`);
      fieldLines(page, level + 1, value, at);
    } else page.line(level, `${labelOf(key)}:\t${value === null ? '<nil>' : String(value)}`);
  }
};

const acronyms = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `resourceVersion` → `Resource Version`, `apiVersion` → `API Version`; names with `.` or `/` stay as they are. */
const labelOf = (key: string): string => {
  if (/[^A-Za-z0-9]/.test(key)) return key;
  const words = key.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+/g) ?? [key];
  return words
    .map(word => {
      const upper = word.toUpperCase();
      return acronyms.has(upper) ? upper : upper.slice(0, 1) + word.slice(1);
    })
    .join(' ');
};
