/** GET pods/NAME/log: the container's output as the node's agent gives it, for as long as the client listens. */
import type { FastifyReply } from 'fastify';
import type { Pod } from '#api/kinds/core.ts';
import { statusOf } from './answer.ts';
import { logRequest } from './pod-calls.ts';
import { type ResourceCall, whileConnected } from './requests.ts';
import { drained } from './watch.ts';

export const sendLog = async (call: ResourceCall): Promise<FastifyReply | undefined> => {
  const { deps, kind, info, reply } = call;
  const ref = { namespace: info.namespace ?? '', name: info.name ?? '' };
  const pod = deps.registry.get(kind, ref).value as Pod;
  const request = logRequest(pod, info.query);
  if (request === undefined) return reply.code(200).header('content-type', 'text/plain').send(Buffer.alloc(0));
  const handler = deps.nodeLinks.handlerOf(pod.spec.nodeName ?? '');
  const signal = whileConnected(call);
  const { raw } = reply;
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
    raw.flushHeaders();
  };
  // A quiet log that is followed must answer too, before its first line.
  const cancel = request.follow ? deps.clock.after(headerMs, start) : () => {};
  try {
    const send = async (chunk: Uint8Array): Promise<void> => {
      start();
      if (!signal.aborted && !raw.write(chunk)) await drained(raw, signal);
    };
    await handler.logs(request, send, signal);
    start();
    raw.end();
  } catch (error) {
    if (!started) throw error;
    if (!signal.aborted) {
      deps.log.warn({ error: String(error), pod: `${ref.namespace}/${ref.name}` }, 'a log broke off');
      raw.write(`\n${statusOf(error).message ?? ''}\n`);
    }
    raw.end();
  } finally {
    cancel();
  }
  return undefined;
};

const headerMs = 100;
