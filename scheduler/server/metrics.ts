/** The server's own metrics, under the names that Kubernetes' API server and client_golang use (FIELD §5.6). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';

export interface ServerMetrics {
  readonly registry: Registry;
  readonly watchers: Gauge;
  /** Counts a request that was answered. */
  observe(labels: RequestLabels, seconds: number): void;
}

export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly code: number;
}

const labelNames = ['verb', 'group', 'version', 'resource', 'subresource'] as const;

export const createServerMetrics = (): ServerMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests answered, by verb, resource and HTTP code.',
    labelNames: [...labelNames, 'code'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time from request to answer (not of watches and other streams).',
    labelNames,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  const watchers = new Gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches that are open.',
    registers: [registry],
  });
  return {
    registry,
    watchers,
    observe: ({ code, ...labels }, seconds) => {
      requests.inc({ ...labels, code });
      if (labels.verb !== 'WATCH' && labels.verb !== 'CONNECT') durations.observe({ ...labels }, seconds);
    },
  };
};
