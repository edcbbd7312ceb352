/** The typed Client (client/client.ts) over the CLI's own connection, for commands that work on known kinds. */
import type { Client } from '#client/client.ts';
import { JsonLines } from '#client/lines.ts';
import { createRestClient } from '#client/rest.ts';
import type { Api } from './api.ts';

export const clientOf = (api: Api): Client =>
  createRestClient({
    json: ({ method, path, body, contentType }) =>
      api.send({ method, path, ...(body === undefined ? {} : { body }), ...(contentType ? { contentType } : {}) }),
    send: async ({ method, path, body }) => {
      await api.send({ method, path, ...(body === undefined ? {} : { body }) });
    },
    async *lines(path, accept, signal) {
      const lines = new JsonLines(chunks => Buffer.concat(chunks).toString('utf8'));
      for await (const chunk of api.stream({ path, accept }, signal as AbortSignal)) {
        const values = lines.push(chunk);
        if (values.length > 0) yield values;
      }
      const rest = lines.end();
      if (rest.length > 0) yield rest;
    },
  });
