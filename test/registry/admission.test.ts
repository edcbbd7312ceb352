import { beforeEach, describe, expect, test } from 'vitest';
import { leaseKind } from '#api/kinds/coordination.ts';
import { namespaceKind, nodeKind, type Pod, podKind, serviceAccountKind } from '#api/kinds/core.ts';
import { priorityClassKind } from '#api/kinds/scheduling.ts';
import { createPod, createWorld, failure, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
const container = (securityContext: object, more: object = {}) => ({
  containers: [{ name: 'c', image: 'x', securityContext, ...more }],
});

describe('pod security', () => {
  const label = (level: string, mode = 'enforce') =>
    world.patch(namespaceKind, 'default', {
      type: 'merge',
      body: { metadata: { labels: { [`pod-security.kubernetes.io/${mode}`]: level } } },
    });

  test('refuses what could harm the host by default, and says how to allow it', async () => {
    const spec = { hostNetwork: true, ...container({ privileged: true }) };
    expect(await failure(createPod(world, 'x', spec))).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true). To allow it, an administrator can run: kubectl label namespace default pod-security.kubernetes.io/enforce=privileged',
    });
    await label('privileged');
    expect((await createPod(world, 'x', spec)).spec.hostNetwork).toBe(true);
  });

  test.each([
    [{ hostPID: true, hostIPC: true }, 'host namespaces (hostPID=true, hostIPC=true)'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
    [
      container({ capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_ADMIN'] } }),
      'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      container({ seccompProfile: { type: 'Unconfined' } }),
      'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      {
        initContainers: [{ name: 'i', image: 'x', securityContext: { privileged: true } }],
        ...container({ privileged: true }),
      },
      'privileged (containers "i", "c" must not set securityContext.privileged=true)',
    ],
  ])('%j', async (spec, sentence) => {
    expect((await failure(createPod(world, 'x', spec))).message).toContain(`"baseline:latest": ${sentence}`);
  });

  test('reads what old manifests say of AppArmor by annotation', async () => {
    const annotations = {
      'container.apparmor.security.beta.kubernetes.io/app': 'localhost/mine',
      'container.apparmor.security.beta.kubernetes.io/gone': 'unconfined',
    };
    const pod = await createPod(world, 'a', {}, { annotations });
    expect(pod.spec.containers[0]?.securityContext).toEqual({
      appArmorProfile: { type: 'Localhost', localhostProfile: 'mine' },
    });
    const free = { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' };
    expect((await failure(createPod(world, 'b', {}, { annotations: free }))).message).toContain(
      'forbidden AppArmor profile (container "app" must not set AppArmor profile type to "Unconfined")',
    );
  });

  test('allows hostPorts unless the namespace asks for baseline', async () => {
    const spec = container({}, { ports: [{ containerPort: 80, hostPort: 8080 }] });
    await createPod(world, 'free', spec);
    await label('baseline');
    expect((await failure(createPod(world, 'x', spec))).message).toContain(
      'hostPort (container "c" uses hostPort 8080)',
    );
  });

  test('restricted asks for everything, and warns only where it is only to warn', async () => {
    await label('restricted', 'warn');
    await createPod(world, 'warned');
    expect(world.warnings).toEqual([
      'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
    await label('restricted');
    expect((await failure(createPod(world, 'x'))).message).toContain('violates PodSecurity "restricted:latest"');
    await createPod(world, 'good', {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      ...container({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }),
    });
  });
});

describe('pod security of a namespace', () => {
  const label = (labels: Record<string, string | null>) =>
    world.patch(namespaceKind, 'default', {
      type: 'merge',
      body: {
        metadata: {
          labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v])),
        },
      },
    });

  test('a level or version that cannot be read is refused, at create and when it is changed', async () => {
    expect(await failure(label({ enforce: 'strict', 'warn-version': '1.20' }))).toMatchObject({
      code: 422,
      details: {
        causes: [
          {
            reason: 'FieldValueInvalid',
            field: 'metadata.labels[pod-security.kubernetes.io/enforce]',
            message: 'Invalid value: "strict": must be one of privileged, baseline, restricted',
          },
          {
            field: 'metadata.labels[pod-security.kubernetes.io/warn-version]',
            message: 'Invalid value: "1.20": must be "latest" or "v1.x"',
          },
        ],
      },
    });
    const body = { metadata: { name: 'n', labels: { 'pod-security.kubernetes.io/audit': 'x' } } };
    expect((await failure(world.create(namespaceKind, body))).message).toBe(
      'Namespace "n" is invalid: metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "x": must be one of privileged, baseline, restricted',
    );
  });

  test('whoever makes it stricter hears which pods would no longer be let in', async () => {
    await label({ enforce: 'privileged' });
    await createPod(world, 'b', container({ privileged: true }));
    await createPod(world, 'a', container({ privileged: true }));
    await createPod(world, 'net', { hostNetwork: true });
    await createPod(world, 'fine');
    world.warnings.length = 0;
    await label({ enforce: 'baseline', 'enforce-version': 'v1.30' });
    expect(world.warnings).toEqual([
      'metadata.labels[pod-security.kubernetes.io/enforce-version]: not supported by Berth: pods are held against the latest version',
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): privileged',
      'net: host namespaces',
    ]);
    world.warnings.length = 0;
    await label({ enforce: 'privileged' });
    expect(world.warnings).toEqual([]);
  });

  test('pods from before stay changeable, but not in what their containers are', async () => {
    await label({ enforce: 'privileged' });
    await createPod(world, 'old', container({ privileged: true }), { finalizers: ['a/b'] });
    await label({ enforce: null });
    const change = (body: object) => world.patch<Pod>(podKind, 'old', { type: 'strategic', body });
    expect((await change({ metadata: { labels: { a: 'b' }, finalizers: null } })).metadata.labels).toEqual({ a: 'b' });
    expect((await failure(change({ spec: { containers: [{ name: 'c', image: 'y' }] } }))).message).toContain(
      'violates PodSecurity "baseline:latest": privileged',
    );
  });
});

describe('defaults from outside the pod', () => {
  test('tolerations for nodes that fail, unless the pod has its own', async () => {
    const pod = await createPod(world, 'a');
    expect(pod.spec.tolerations).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ]);
    const own = [{ operator: 'Exists' }];
    expect((await createPod(world, 'b', { tolerations: own })).spec.tolerations).toEqual(own);
  });

  test('service account: default, or one that exists', async () => {
    expect(await failure(createPod(world, 'a', { serviceAccountName: 'bot' }))).toMatchObject({
      code: 403,
      message: 'pods "a" is forbidden: error looking up service account default/bot: serviceaccount "bot" not found',
    });
    await world.create(serviceAccountKind, { metadata: { name: 'bot' } });
    expect((await createPod(world, 'a', { serviceAccountName: 'bot' })).spec.serviceAccount).toBe('bot');
  });

  test('priority from the class, the global default, or zero', async () => {
    expect((await createPod(world, 'plain')).spec).toMatchObject({
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    await world.create(priorityClassKind, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' });
    await world.create(priorityClassKind, { metadata: { name: 'usual' }, value: 10, globalDefault: true });
    expect((await createPod(world, 'a', { priorityClassName: 'high' })).spec).toMatchObject({
      priority: 1000,
      preemptionPolicy: 'Never',
    });
    expect((await createPod(world, 'b')).spec).toMatchObject({ priority: 10, priorityClassName: 'usual' });
    expect((await failure(createPod(world, 'c', { priorityClassName: 'nope' }))).message).toBe(
      'pods "c" is forbidden: no PriorityClass with name nope was found',
    );
    expect((await failure(createPod(world, 'd', { priority: 5 }))).message).toBe(
      'pods "d" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 10 from the given PriorityClass name',
    );
  });

  test('matchLabelKeys become part of the selectors', async () => {
    const term = {
      topologyKey: 'zone',
      labelSelector: { matchLabels: { app: 'x' } },
      matchLabelKeys: ['rev', 'absent'],
      mismatchLabelKeys: ['tenant'],
    };
    const pod = await createPod(
      world,
      'a',
      {
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'x' } },
            matchLabelKeys: ['rev'],
          },
        ],
      },
      { labels: { app: 'x', rev: '7', tenant: 't' } },
    );
    const [merged] = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(merged?.labelSelector?.matchExpressions).toEqual([
      { key: 'rev', operator: 'In', values: ['7'] },
      { key: 'tenant', operator: 'NotIn', values: ['t'] },
    ]);
    expect(pod.spec.topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions).toEqual([
      { key: 'rev', operator: 'In', values: ['7'] },
    ]);
  });
});

describe('a node', () => {
  const user = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
  const as = { user };

  test('writes its own Node and Lease and nobody else’s', async () => {
    await world.create(nodeKind, { metadata: { name: 'a' } }, as);
    expect(await failure(world.create(nodeKind, { metadata: { name: 'b' } }, as))).toMatchObject({
      code: 403,
      message: 'nodes "b" is forbidden: node "a" is not allowed to modify node "b"',
    });
    await world.create(leaseKind, { metadata: { name: 'a', namespace: 'kube-node-lease' }, spec: {} }, as);
    expect(
      await failure(world.create(leaseKind, { metadata: { name: 'b', namespace: 'kube-node-lease' }, spec: {} }, as)),
    ).toMatchObject({ code: 403 });
    expect(await failure(world.create(leaseKind, { metadata: { name: 'a' }, spec: {} }, as))).toMatchObject({
      code: 403,
    });
    const taints = [{ key: 'x', effect: 'NoSchedule' }];
    expect(await failure(world.patch(nodeKind, 'a', { type: 'merge', body: { spec: { taints } } }, as))).toMatchObject({
      message: 'nodes "a" is forbidden: node "a" is not allowed to modify taints',
    });
  });

  test('labels its Node, but not with what would draw pods to it', async () => {
    const own = { 'kubernetes.io/os': 'linux', 'node.kubernetes.io/x': 'y', disk: 'ssd', 'berth.dev/engine': 'e' };
    const create = (labels: object) => world.create(nodeKind, { metadata: { name: 'a', labels } }, as);
    expect(await failure(create({ ...own, 'node-role.kubernetes.io/control-plane': '' }))).toMatchObject({
      code: 403,
      message:
        'nodes "a" is forbidden: node "a" is not allowed to set the following labels: node-role.kubernetes.io/control-plane',
    });
    await create(own);
    const labels = { 'x.node-restriction.kubernetes.io/gold': '1', 'k8s.io/x': '2', disk: null };
    expect(
      await failure(world.patch(nodeKind, 'a', { type: 'merge', body: { metadata: { labels } } }, as)),
    ).toMatchObject({
      message:
        'nodes "a" is forbidden: is not allowed to modify labels: k8s.io/x, x.node-restriction.kubernetes.io/gold',
    });
  });

  test('writes the status of its own pods only', async () => {
    await createPod(world, 'mine');
    await createPod(world, 'theirs');
    for (const [name, node] of [
      ['mine', 'a'],
      ['theirs', 'b'],
    ] as const)
      await world.registry.bind(
        { namespace: 'default', name },
        { metadata: {}, target: { name: node } },
        world.context(),
      );
    const status = (name: string) =>
      world.patch<Pod>(
        podKind,
        name,
        { type: 'merge', body: { status: { phase: 'Running' } } },
        { ...as, subresource: 'status' },
      );
    expect((await status('mine')).status?.phase).toBe('Running');
    expect((await failure(status('theirs'))).message).toBe(
      'pods "theirs" is forbidden: node "a" can only update pod status for pods with spec.nodeName set to itself',
    );
    const relabel = { type: 'merge', body: { metadata: { labels: { app: 'x' } } } } as const;
    expect((await failure(world.patch(podKind, 'mine', relabel, { ...as, subresource: 'status' }))).message).toBe(
      'pods "mine" is forbidden: node "a" cannot update labels through pod status',
    );
    expect(
      await failure(world.patch(podKind, 'mine', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, as)),
    ).toMatchObject({
      message: 'pods "mine" is forbidden: node "a" can only update pod status, not the pod itself',
    });
    const remove = (name: string) =>
      world.registry.remove(
        { kind: podKind as never, namespace: 'default', name },
        { gracePeriodSeconds: 0 },
        world.context(as),
      );
    expect(await failure(remove('theirs'))).toMatchObject({ code: 403 });
    expect((await remove('mine')).removed).toBe(true);
    expect(
      await failure(
        world.create(podKind, { metadata: { name: 'new' }, spec: { containers: [{ name: 'c', image: 'x' }] } }, as),
      ),
    ).toMatchObject({ code: 403 });
  });
});
