/**
 * What names and other short texts of the API may look like: each function lists the faults of a text in upstream's words
 * (apimachinery util/validation); empty: fine. Label keys and values are in label-names.ts.
 */
import { subdomainFaults } from './label-names.ts';

export type Faults = readonly string[];
type Rule = (text: string) => Faults;

const none: Faults = [];
const maxBytes = (limit: number): string => `must be no more than ${limit} bytes`;
export const inclusiveRange = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** RFC 1123 label: containers, volumes, namespaces, host names. */
export const labelFaults = (text: string): Faults => {
  if (text.length <= 63 && label.test(text)) return none;
  const faults = text.length > 63 ? [maxBytes(63)] : [];
  if (label.test(text)) return faults;
  return [...faults, subdomainFaults(text).length === 0 ? 'must not contain dots' : labelRule];
};

const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const label1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** RFC 1035 label: Services. */
export const label1035Faults = (text: string): Faults => [
  ...(text.length > 63 ? [maxBytes(63)] : []),
  ...(label1035.test(text) ? [] : [label1035Rule]),
];

/** As `rule`, for the prefix of a generated name: it may end in a dash. */
export const asPrefix =
  (rule: Rule): Rule =>
  text =>
    rule(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const configKey = /^[-._a-zA-Z0-9]+$/;
const configKeyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** Keys of ConfigMaps and Secrets. */
export const configKeyFaults = (text: string): Faults => {
  const faults: string[] = [];
  if (text.length > 253) faults.push(maxBytes(253));
  if (!configKey.test(text)) faults.push(configKeyRule);
  if (text === '.') faults.push("must not be '.'");
  else if (text === '..') faults.push("must not be '..'");
  else if (text.startsWith('..')) faults.push("must not start with '..'");
  return faults;
};

/** Names of environment variables: printable ASCII other than `=`. */
export const envNameFaults = (text: string): Faults => {
  if (text === '') return ['environment variable name must be non-empty'];
  return /^[ -<>-~]+$/.test(text)
    ? none
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

export const portNumberFaults = (port: number): Faults =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? none : [inclusiveRange(1, 65535)];

/** Names of container ports: IANA service names. */
export const portNameFaults = (text: string): Faults => {
  const faults: string[] = [];
  if (text.length > 15) faults.push(maxBytes(15));
  if (!/^[-a-z0-9]+$/.test(text)) faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) faults.push('must contain at least one letter (a-z)');
  if (text.includes('--')) faults.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) faults.push('must not begin or end with a hyphen');
  return faults;
};

const headerName = /^[-A-Za-z0-9]+$/;
export const headerNameFaults = (text: string): Faults =>
  headerName.test(text)
    ? none
    : [
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      ];

/** User and group IDs. */
export const idFaults = (id: number): Faults => (id >= 0 && id <= 2147483647 ? none : [inclusiveRange(0, 2147483647)]);

export const isIPv4 = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length === 4 && parts.every(part => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
};

export const isIPv6 = (text: string): boolean => {
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return false;
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')));
  const last = groups[groups.length - 1];
  const embedded = last?.includes('.') ?? false;
  if (embedded && !isIPv4(last ?? '')) return false;
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (!plain.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
};

export const addressFaults = (text: string): Faults =>
  isIPv4(text) || isIPv6(text) ? none : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];

/** An address with a prefix length. */
export const rangeFaults = (text: string): Faults => {
  const [address = '', bits = '', ...more] = text.split('/');
  const limit = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return more.length === 0 && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= limit
    ? none
    : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
};

/** A path below a directory: relative and without `..`. */
export const descendingPathFaults = (path: string): Faults => [
  ...(path.startsWith('/') ? ['must be a relative path'] : []),
  ...backstepFaults(path),
];

/** A path without `..` elements. */
export const backstepFaults = (path: string): Faults =>
  path.split('/').includes('..') ? ["must not contain '..'"] : none;

/** A path of a file in a volume: the names that start with `..` are kept for the volume itself. */
export const volumePathFaults = (path: string): Faults => [
  ...descendingPathFaults(path),
  ...(path.startsWith('..') && !path.startsWith('../') ? ["must not start with '..'"] : []),
];
