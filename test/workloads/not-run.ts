/** What of scheduler_perf does not run here, and why: each workload that is neither here nor in another file of this folder. */

/** Upstream's workloads that workloads.json only names, by its names. */
export const notRun: Readonly<Record<string, string>> = {
  cpg: 'composite pod groups: came after v1.35',
  'dra/*': 'dynamic resource allocation: unsupported by design',
  'gangscheduling / podgroup': 'pod groups: alpha in v1.35, off by default',
  nodedeclaredfeatures: 'alpha in v1.35, off by default',
  'opportunistic batching':
    'without effect in the default profile, whose spread constraints make every pod its own batch',
  tas: 'topology-aware placement of pod groups: came after v1.35',
  'volumes (PVs, CSI)': 'volumes: unsupported by design',
  workload_preemption: 'preemption by and of pod groups: came after v1.35',
};

/** Stages of workloads that do run. */
export const partsNotRun: Readonly<Record<string, string>> = {
  'EventHandlingPodDelete: NodeVolumeLimits, VolumeRestrictions': 'volumes: unsupported by design',
  'EventHandlingPodUpdate: scale down by a resize request':
    'there is no resize request yet; what an agent takes back by its status, which is what frees the room, does run',
  'ResizePreemption: DeferredResizePreemptionInPlace':
    'pushing others out for a resize: came after v1.35; what a granted size means to others does run',
  'starvation: StarvationPodGroup': 'pod groups: alpha in v1.35, off by default',
};
