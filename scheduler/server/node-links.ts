/**
 * The agents that can be asked something: embedded ones registered directly, remote ones over the control link that they opened
 * (agents listen on no port). Whoever asks for a node that is not connected gets a 503 at once.
 */

import { nodeKind } from '#api/kinds/core.ts';
import type { NodeHandler, NodeUsage } from '#api/node-calls.ts';
import { conflict, unavailable } from '#api/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';

export interface NodeLinks {
  /** The agent of that node is reachable from now until the returned function is called; it replaces an earlier one. */
  register(node: string, handler: NodeHandler): () => void;
  /** Throws ServiceUnavailable when the agent is not connected. */
  handlerOf(node: string): NodeHandler;
  isConnected(node: string): boolean;
  /** Whether the agent is connected and answers in time. */
  answers(node: string): Promise<boolean>;
  /** Usage of all nodes whose agents answer in time. */
  usage(): Promise<readonly NodeUsage[]>;
}

/** Two agents of one name would both run the node's pods. Throws Conflict while one is connected. */
export const refuseSecondAgent = (links: NodeLinks, node: string): void => {
  if (links.isConnected(node))
    throw conflict(nodeKind, node, 'another agent of this name is connected; stop it, or give this node another name');
};

const usageTimeoutMs = 3_000;

export const createNodeLinks = ({ clock, log }: { readonly clock: Clock; readonly log: Log }): NodeLinks => {
  const handlers = new Map<string, NodeHandler>();
  /** What the agent says, or undefined when it does not in time. */
  const asked = async (node: string, handler: NodeHandler): Promise<{ usage: NodeUsage | undefined } | undefined> => {
    let cancel = () => {};
    const late = new Promise<undefined>(resolve => {
      cancel = clock.after(usageTimeoutMs, () => resolve(undefined));
    });
    try {
      return await Promise.race([handler.usage().then(usage => ({ usage })), late]);
    } catch (error) {
      log.debug({ node, error: String(error) }, 'the agent did not tell its usage');
      return undefined;
    } finally {
      cancel();
    }
  };
  return {
    register: (node, handler) => {
      handlers.set(node, handler);
      return () => {
        if (handlers.get(node) === handler) handlers.delete(node);
      };
    },
    handlerOf: node => {
      const handler = handlers.get(node);
      if (handler === undefined) throw unavailable(`the agent of node ${JSON.stringify(node)} is not connected`);
      return handler;
    },
    isConnected: node => handlers.has(node),
    answers: async node => {
      const handler = handlers.get(node);
      return handler !== undefined && (await asked(node, handler)) !== undefined;
    },
    usage: async () => {
      const all = await Promise.all([...handlers].map(([node, handler]) => asked(node, handler)));
      return all.flatMap(answer => answer?.usage ?? []);
    },
  };
};
