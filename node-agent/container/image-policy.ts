/** Image names and pull policies as the kubelet reads them (SEMANTICS I.5); pure. */
import type { Container } from '#api/kinds/core.ts';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domain =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\\.(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?))*(?::[0-9]+)?';
const reference = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(?::[\\w][\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** The fault of an image name as upstream words it, or undefined for a good one. */
export const imageNameFault = (image: string): string | undefined => {
  if (reference.test(image)) return undefined;
  const name = /^[^@:]*(?::\d+\/[^@:]*)?/.exec(image)?.[0] ?? '';
  const cause =
    name !== name.toLowerCase() && reference.test(image.toLowerCase())
      ? 'repository name must be lowercase'
      : 'invalid reference format';
  return `couldn't parse image name "${image}": ${cause === 'invalid reference format' ? cause : `invalid reference format: ${cause}`}`;
};

/** The tag of a name, `latest` where none is written; undefined with a digest alone. */
export const tagOf = (image: string): string | undefined => {
  if (image.includes('@')) return undefined;
  const last = image.slice(image.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 ? 'latest' : last.slice(colon + 1);
};

/** With a tag: engines pull every tag of a bare name. */
export const withTag = (image: string): string =>
  image.includes('@') || image.slice(image.lastIndexOf('/') + 1).includes(':') ? image : `${image}:latest`;

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export const pullPolicyOf = (container: Container): PullPolicy =>
  container.imagePullPolicy ?? (tagOf(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent');

/** True when a failed pull says that no registry could be reached, rather than that the image is not there. */
export const isUnreachable = (message: string): boolean =>
  /no such host|connection refused|i\/o timeout|network is unreachable|no route to host|TLS handshake timeout|Client\.Timeout|context deadline exceeded|server misbehaving|temporary failure in name resolution|proxyconnect|Service Unavailable|connection reset|request canceled|\bEOF$/i.test(
    message,
  );

/** uid of an image's `USER`: 0 for none, undefined for a name that only the image's own files resolve. */
export const numericUser = (user: string): number | undefined => {
  const name = user.split(':')[0] ?? '';
  if (name === '' || name === 'root') return 0;
  return /^\d+$/.test(name) ? Number(name) : undefined;
};
