/** Values of the downward API: fields of the pod and resources of its containers, as text; pure. */
import type { Container, Pod } from '#api/kinds/core.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';

/** What the pod object does not say itself. */
export interface DownwardFacts {
  readonly nodeName: string;
  readonly hostIP: string;
  readonly podIP: string;
  /** Of the node, for containers without a limit. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** `metadata.labels['app']` → ['metadata.labels', 'app']; the key is undefined without brackets. */
const splitPath = (path: string): readonly [string, string | undefined] => {
  const match = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(path);
  return match ? [match[1]!, match[2]!] : [path, undefined];
};

/** A map as files show it: one `key="value"` line each, sorted, with Go's quoting. */
const mapText = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** The text of a field, or undefined for a path that the downward API does not know. */
export const fieldText = (pod: Pod, path: string, facts: DownwardFacts): string | undefined => {
  const [field, key] = splitPath(path);
  const { metadata, spec } = pod;
  if (key !== undefined) {
    const map = field === 'metadata.labels' ? metadata.labels : metadata.annotations;
    return map?.[key] ?? '';
  }
  switch (field) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return mapText(metadata.labels);
    case 'metadata.annotations':
      return mapText(metadata.annotations);
    case 'spec.nodeName':
      return facts.nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return facts.hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return facts.podIP;
    default:
      return undefined;
  }
};

/**
 * The number that a resourceFieldRef gives, rounded up to its divisor; undefined for an unknown resource. A limit that
 * is not set is the node's allocatable, a request that is not set is 0 (upstream: a request falls back to the limit).
 */
export const resourceText = (
  container: Container,
  resource: string,
  divisor: string | undefined,
  allocatable: Readonly<Record<string, string>>,
): string | undefined => {
  const dot = resource.indexOf('.');
  const [list, name] = [resource.slice(0, dot), resource.slice(dot + 1)];
  if (list !== 'limits' && list !== 'requests') return undefined;
  const { limits, requests } = container.resources ?? {};
  const limit = limits?.[name] ?? allocatable[name] ?? '0';
  const value = list === 'limits' ? limit : (requests?.[name] ?? limits?.[name] ?? '0');
  const unit = divisor === undefined || divisor === '0' || divisor === '' ? '1' : divisor;
  if (name === 'cpu') return String(Math.ceil(milliValue(value) / milliValue(unit)));
  return String(Math.ceil(wholeValue(value) / wholeValue(unit)));
};
