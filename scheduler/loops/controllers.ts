/** Starts every controller of the control plane over one set of shared caches. */
import { kinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/object.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createStop } from '#base/stop.ts';
import { type Service, supervise } from '#base/supervise.ts';
import { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import { type Controller, type ControllerDeps, ControllerRunner } from '#client/controller.ts';
import { createRecorder } from '#client/events.ts';
import { sweepService } from '#client/sweep.ts';
import { disruption } from '#controllers/disruption.ts';
import { namespaceController } from '#controllers/namespace.ts';
import { rootCaPublisher, serviceAccounts } from '#controllers/namespace-defaults.ts';
import { nodeLifecycle } from '#controllers/node-lifecycle.ts';
import { podGc } from '#controllers/pod-gc.ts';
import { taintEviction } from '#controllers/taint-eviction.ts';
import { type Timings, timings } from '#controllers/timings.ts';

export interface ControllersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The CA of the API server, published in every namespace. */
  readonly caPem: string;
  /** A profile or figures of your own. Default `kubernetes`. */
  readonly timings?: keyof typeof timings | Timings;
}

export interface Controllers {
  /** Stops them; resolves when the plans under way are finished and events are sent. */
  stop(): Promise<void>;
}

/** The controllers run from now on; they wait for the API by themselves. */
export const startControllers = (options: ControllersOptions): Controllers => {
  const { client, clock, random, log } = options;
  const pace = typeof options.timings === 'object' ? options.timings : timings[options.timings ?? 'kubernetes'];
  const { signal, stop } = createStop();
  const recorder = createRecorder({ client, clock, random, log, component: 'controller-manager', signal });
  const caches = new Caches({ client, clock, random, log });
  const deps: ControllerDeps = { caches, client, clock, log, recorder };
  const service = <T extends KubeObject, M>(controller: Controller<T, M>): Service => {
    const runner = new ControllerRunner(controller, deps);
    return { name: controller.name, run: inner => runner.run(inner) };
  };
  const services: Service[] = [
    service(nodeLifecycle(pace)),
    service(taintEviction),
    service(namespaceController(kinds)),
    service(serviceAccounts),
    service(rootCaPublisher(options.caPem)),
    service(disruption),
    sweepService(podGc(pace), deps),
  ];
  // The informers come last: every controller has to subscribe before the first list arrives.
  const informers: Service = { name: 'informers', run: inner => caches.run(inner) };
  const ended = supervise([...services, informers], { clock, random, log }, signal);
  return {
    stop: async () => {
      const flushed = recorder.flush();
      stop();
      await Promise.all([flushed, ended]);
    },
  };
};
