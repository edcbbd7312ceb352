/** Says where in the manifest a fault stands that the server found: file, line and column of each field it names. */
import { isQuantity } from '#api/quantity.ts';
import { ApiError } from '#api/status.ts';
import { CliError, failureText } from '../failure.ts';
import type { Manifest } from '../manifests.ts';

/** The failure with the places of its fields after it; other failures as they are. */
export const withPlaces = (error: unknown, manifest: Manifest): unknown => {
  if (!(error instanceof ApiError)) return error;
  const fields = fieldsOf(error, manifest.object);
  if (fields.length === 0) return error;
  const places = fields.map(field => {
    const place = manifest.locate(field);
    return `${place.text}: ${field}\n${place.excerpt}`;
  });
  return new CliError(`${failureText(error).trimEnd()}\n${places.join('\n')}`, { verbatim: true });
};

const limit = 10;

/** Field paths in the causes, those that decoding names, and values that should be quantities and are none. */
const fieldsOf = (error: ApiError, object: unknown): readonly string[] => {
  const causes = (error.status.details?.causes ?? [])
    .map(cause => cause.field)
    .filter(field => field && field !== 'patch');
  const message = error.status.message ?? '';
  const quoted = [...message.matchAll(/(?:unknown|duplicate) field "([^"]+)"/g)].map(match => match[1]!);
  const wrongType = [...message.matchAll(/Go struct field \w+\.([\w.[\]]+) of type/g)].map(match => match[1]!);
  const quantities = message.includes('quantities must match') ? badQuantities(object, '') : [];
  return [...new Set([...causes, ...quoted, ...wrongType, ...quantities])].slice(0, limit);
};

const holdsQuantities = /\.(limits|requests|capacity|allocatable|overhead|hard)\.[^.]+$|\.(sizeLimit|divisor)$/;

/** Paths of values in places for quantities that do not read as such. */
const badQuantities = (value: unknown, path: string): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((item, i) => badQuantities(item, `${path}[${i}]`));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => badQuantities(item, `${path}.${key}`));
  }
  return holdsQuantities.test(path) && !isQuantity(String(value)) ? [path.slice(1)] : [];
};
