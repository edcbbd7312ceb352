/** The workloads in which things happen, by their names in the file. */
import type { Happening } from './happening.ts';
import { preemptionAsync, preemptionBasic, resizePreemption, unschedulable } from './preemption.ts';
import {
  deletedPodsWithFinalizers,
  gatedPodsWithPodAffinity,
  schedulingWhileGated,
  schedulingWithMixedChurn,
} from './queueing.ts';
import { nodeAdd, podDelete, podUpdate } from './waiting.ts';

export const happenings: Readonly<Record<string, Happening>> = {
  PreemptionBasic: preemptionBasic,
  PreemptionAsync: preemptionAsync,
  Unschedulable: unschedulable,
  SchedulingWithMixedChurn: schedulingWithMixedChurn,
  SchedulingWhileGated: schedulingWhileGated,
  GatedPodsWithPodAffinityImpactForThroughput: gatedPodsWithPodAffinity,
  SchedulingDeletedPodsWithFinalizers: deletedPodsWithFinalizers,
  EventHandlingPodDelete: podDelete,
  EventHandlingPodUpdate: podUpdate,
  EventHandlingNodeAdd: nodeAdd,
  ResizePreemption: resizePreemption,
};
