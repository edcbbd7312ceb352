/** Descriptions of the small kinds that have a layout of their own in kubectl. */
import type { ConfigMap, Namespace, Secret, ServiceAccount } from '#api/kinds/core.ts';
import type { AnyObject } from '../read.ts';
import { type Events, eventLines } from './events.ts';
import { annotationLines, mapLines, Page } from './page.ts';

const head = (object: AnyObject): Page => {
  const page = new Page();
  page.line(0, `Name:\t${object.metadata.name}`);
  if (object.metadata.namespace) page.line(0, `Namespace:\t${object.metadata.namespace}`);
  mapLines(page, 'Labels', object.metadata.labels);
  annotationLines(page, object.metadata.annotations);
  return page;
};

/** `quotas` and `ranges`: whether the server has these kinds at all; Berth has none of their objects yet. */
export const describeNamespace = (object: AnyObject, served: { quotas: boolean; ranges: boolean }): string => {
  const { status } = object as unknown as Namespace;
  const page = head(object);
  page.line(0, `Status:\t${status?.phase ?? ''}`);
  const conditions =
    (
      status as
        | {
            conditions?: {
              type: string;
              status: string;
              lastTransitionTime?: string;
              reason?: string;
              message?: string;
            }[];
          }
        | undefined
    )?.conditions ?? [];
  if (conditions.length > 0) {
    page.line(0, 'Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage');
    page.line(1, '----\t------\t------------------\t------\t-------');
    for (const c of conditions)
      page.line(1, `${c.type}\t${c.status}\t${c.lastTransitionTime ?? ''}\t${c.reason ?? ''}\t${c.message ?? ''}`);
  }
  if (served.quotas) page.line(0, '\nNo resource quota.');
  if (served.ranges) page.line(0, '\nNo LimitRange resource.');
  return page.text();
};

export const describeConfigMap = (object: AnyObject, events: Events, nowMs: number): string => {
  const { data = {}, binaryData = {} } = object as unknown as ConfigMap;
  const page = head(object);
  page.line(0, '\nData\n====');
  for (const key of Object.keys(data).sort()) page.line(0, `${key}:\n----\n${data[key]}\n`);
  page.line(0, '\nBinaryData\n====');
  for (const key of Object.keys(binaryData).sort()) page.line(0, `${key}: ${bytesOf(binaryData[key]!)} bytes`);
  page.line(0, '');
  eventLines(page, events, nowMs);
  return page.text();
};

export const describeSecret = (object: AnyObject): string => {
  const { type = '', data = {} } = object as unknown as Secret;
  const page = head(object);
  page.line(0, `\nType:\t${type}`);
  page.line(0, '\nData\n====');
  for (const key of Object.keys(data).sort()) page.line(0, `${key}:\t${bytesOf(data[key]!)} bytes`);
  return page.text();
};

const bytesOf = (base64: string): number => Buffer.from(base64, 'base64').length;

export const describeServiceAccount = (object: AnyObject, events: Events, nowMs: number): string => {
  const { imagePullSecrets = [], secrets = [] } = object as unknown as ServiceAccount;
  const page = head(object);
  listLines(
    page,
    'Image pull secrets',
    imagePullSecrets.map(({ name }) => name ?? ''),
  );
  listLines(
    page,
    'Mountable secrets',
    secrets.map(({ name }) => name ?? ''),
  );
  listLines(page, 'Tokens', []);
  eventLines(page, events, nowMs);
  return page.text();
};

const listLines = (page: Page, title: string, names: readonly string[]): void => {
  if (names.length === 0) page.line(0, `${title}:\t<none>`);
  for (const [i, name] of names.entries()) page.line(0, `${i === 0 ? `${title}:` : ''}\t${name}`);
};

export const describePriorityClass = (object: AnyObject, events: Events, nowMs: number): string => {
  const { value, globalDefault, preemptionPolicy, description } = object;
  const page = new Page();
  page.line(0, `Name:\t${object.metadata.name}`);
  page.line(0, `Value:\t${value}`);
  page.line(0, `GlobalDefault:\t${globalDefault ?? false}`);
  page.line(0, `PreemptionPolicy:\t${preemptionPolicy ?? 'PreemptLowerPriority'}`);
  page.line(0, `Description:\t${description ?? ''}`);
  const annotations = Object.entries(object.metadata.annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  page.line(0, `Annotations:\t${annotations.map(([key, text]) => `${key}=${text}`).join(',') || '<none>'}`);
  eventLines(page, events, nowMs);
  return page.text();
};
