/** Manifests that the tests of `berth plan` share, as users write them. */

export const nodes = `apiVersion: v1
kind: Node
metadata: {name: a}
status: {capacity: {cpu: "4", memory: 8Gi}}
---
apiVersion: v1
kind: Node
metadata: {name: b}
status: {capacity: {cpu: "2", memory: 4Gi, pods: "20"}}
`;

export const web = `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: c
    image: nginx
    resources:
      requests: {cpu: 500m, memory: 1Gi}
      limits: {memory: 2Gi}
`;

export const huge = `apiVersion: v1
kind: Pod
metadata: {name: huge}
spec:
  containers:
  - name: c
    image: nginx
    resources: {requests: {memory: 100Gi}}
`;

export const replicaSet = (replicas: number, cpu = '700m', name = 'api'): string => `apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: c
        image: nginx
        resources: {requests: {cpu: ${cpu}, memory: 1Gi}}
`;

export const statefulSet = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - name: c
        image: postgres
        resources: {requests: {cpu: "1", memory: 2Gi}}
`;

export const documents = (...parts: readonly string[]): string => parts.join('---\n');
