/** The cases of the documentation that are not run yet, and what each waits for. A test keeps this list complete. */

const controllers = 'waits for the controllers of Deployment, ReplicaSet, Job, DaemonSet, StatefulSet';
const quota = 'waits for LimitRange and ResourceQuota';
const resize = 'waits for in-place resize of pods';

export const excludedCases: Readonly<Record<string, string>> = {
  'resize-cpu-no-restart': resize,
  'resize-memory-restarts': resize,
  'limitrange-cpu-minmax': quota,
  'limitrange-mem-minmax': quota,
  'limitrange-cpu-default': quota,
  'quota-cpu-mem': quota,
  'quota-priority-scope': quota,
  'quota-count-objects': quota,
  'quota-pvc-count': 'persistent volumes are out of scope; waits for ResourceQuota besides',
  'job-indexed': controllers,
  'job-pi': controllers,
  'job-backoff-per-index': controllers,
  'job-success-policy': controllers,
  'job-failjob': controllers,
  'job-ignore-disruption': controllers,
  'job-ttl': controllers,
  'jobs-expanded': controllers,
  'deployment-run': controllers,
  'deployment-create': controllers,
  'deployment-rollout': controllers,
  'deployment-stuck-image': controllers,
  'deployment-history-undo': controllers,
  'deployment-proportional-scaling': controllers,
  'deployment-pause-resume': controllers,
  'deployment-progress-deadline': controllers,
  'deployment-recreate': controllers,
  'replicaset-adopt': controllers,
  'replicaset-excess': controllers,
  replicationcontroller: controllers,
  'daemonset-all': controllers,
  'daemonset-selector': controllers,
  'daemonset-pod-shape': controllers,
  'statefulset-scale': controllers,
  'sidecar-deployment': controllers,
  namespaces: controllers,
};
