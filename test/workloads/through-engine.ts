/** A workload run by the engine alone: pod after pod, each decision placed at once. For workloads of any size. */
import type { Pod } from '#api/kinds/core.ts';
import { defaultProfile } from '#engine/profile.ts';
import { firstOfTies, schedule } from '#engine/schedule.ts';
import { columnsFor, type Setting } from '#test/bench/scheduler-workloads.ts';
import type { Outcome } from './outcome.ts';

const profile = defaultProfile();

export const throughEngine = (setting: Setting): Outcome => {
  const columns = columnsFor(setting);
  const place = (pod: Pod): Pod => {
    const view = columns.view(pod);
    const { node } = schedule(view, columns, profile, firstOfTies);
    if (node === undefined) return pod;
    columns.placeView(view, node.name);
    return { ...pod, spec: { ...pod.spec, nodeName: node.name } };
  };
  return { nodes: setting.nodes, init: setting.init.map(place), measured: setting.measure.map(place) };
};
