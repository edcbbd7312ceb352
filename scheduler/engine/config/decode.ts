/** Values of API types inside a configuration, read along their schemas as the API server reads them. */
import { decodeValue, whyUnhandled } from '#api/decode.ts';
import type { SchemaNode } from '#api/schema.ts';
import { ApiError } from '#api/status.ts';
import type { Section } from './fields.ts';

const configuration = { kind: 'KubeSchedulerConfiguration', version: 'v1' };

/** A value of an API type; undefined with a fault when it is none. */
export const decode = <T>(section: Section, schema: SchemaNode, value: unknown, path: string): T | undefined => {
  try {
    const decoded = decodeValue(configuration, schema, value);
    for (const field of decoded.unknownFields)
      section.report.fault(`${path}.${field}`, `unknown field ${JSON.stringify(`${path}.${field}`)}`);
    return decoded.value as T;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const why = whyUnhandled(configuration, error);
    // The text names the field, without indexes: enough to find it in the document.
    const field = /Go struct field \w+\.(\S+) of type/.exec(why)?.[1];
    section.report.fault(field === undefined ? path : `${path}.${field}`, why);
    return undefined;
  }
};
