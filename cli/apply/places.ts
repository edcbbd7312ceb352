/** Says where in the manifest a fault stands that the server found: file, line and column of each field it names. */
import { ApiError } from '#api/status.ts';
import { CliError, failureText } from '../failure.ts';
import type { Manifest } from '../manifests.ts';

/** The failure with the places of its fields after it; other failures as they are. */
export const withPlaces = (error: unknown, manifest: Manifest): unknown => {
  if (!(error instanceof ApiError)) return error;
  const fields = fieldsOf(error);
  if (fields.length === 0) return error;
  const places = fields.map(field => {
    const place = manifest.locate(field);
    return `${place.text}: ${field}\n${place.excerpt}`;
  });
  return new CliError(`${failureText(error).trimEnd()}\n${places.join('\n')}`, { verbatim: true });
};

const limit = 10;

/** Field paths in the causes, and those that strict decoding quotes (`unknown field "spec.foo"`). */
const fieldsOf = (error: ApiError): readonly string[] => {
  const causes = (error.status.details?.causes ?? [])
    .map(cause => cause.field)
    .filter(field => field && field !== 'patch');
  const message = error.status.message ?? '';
  const quoted = [...message.matchAll(/(?:unknown|duplicate) field "([^"]+)"/g)].map(match => match[1]!);
  const wrongType = [...message.matchAll(/Go struct field \w*?\.?([a-zA-Z][\w.[\]]*) of type/g)].map(
    match => match[1]!,
  );
  return [...new Set([...causes, ...quoted, ...wrongType])].slice(0, limit);
};
