/** The scheduler's metrics, under the names of kube-scheduler (FIELD §5.6); read when somebody asks, so they cost nothing else. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** What the scheduler has done since its start, and what waits now. */
export interface SchedulerFigures {
  readonly attempts: Readonly<Record<'scheduled' | 'unschedulable' | 'error', number>>;
  readonly preemptionAttempts: number;
  readonly pending: Readonly<Record<'active' | 'backoff' | 'parked' | 'gated', number>>;
  readonly nodes: number;
  readonly placedPods: number;
}

/** Our word for a queue → upstream's. */
const queues = { active: 'active', backoff: 'backoff', parked: 'unschedulable', gated: 'gated' } as const;

/** Adds them to the server's own; `figures` gives undefined while no scheduler runs, and they are absent then. */
export const addSchedulerMetrics = (registry: Registry, figures: () => SchedulerFigures | undefined): void => {
  const registers = [registry];
  new Counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Attempts to schedule a pod, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(figures()?.attempts ?? {})) this.inc({ result }, count);
    },
  });
  new Counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Attempts to make room for a pod by evicting others.',
    registers,
    collect() {
      this.reset();
      this.inc(figures()?.preemptionAttempts ?? 0);
    },
  });
  new Gauge({
    name: 'scheduler_pending_pods',
    help: 'Pods that wait to be scheduled, by the queue they are in.',
    labelNames: ['queue'],
    registers,
    collect() {
      this.reset();
      const pending = figures()?.pending;
      if (pending === undefined) return;
      for (const [ours, queue] of Object.entries(queues)) this.set({ queue }, pending[ours as keyof typeof queues]);
    },
  });
  new Gauge({
    name: 'scheduler_scheduler_cache_size',
    help: "Nodes and pods in the scheduler's view of the cluster.",
    labelNames: ['type'],
    registers,
    collect() {
      this.reset();
      const found = figures();
      if (found === undefined) return;
      this.set({ type: 'nodes' }, found.nodes);
      this.set({ type: 'pods' }, found.placedPods);
    },
  });
};
