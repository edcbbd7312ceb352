/**
 * The scheduler once more, plainly: objects and maps, everything looked up anew for every node, no number kept from one
 * pod to the next. It shares nothing with the engine but the API's definitions (quantities, requests, selectors, taints),
 * so that the engine's columns, indexes and standing results can be compared with it.
 */
import type { Node, Pod, PodAffinityTerm, TopologySpreadConstraint } from '#api/kinds/core.ts';
import { labelSelectorMatches } from '#api/labels.ts';
import { compileNodeSelectorTerm, podMatchesNodeSelectorAndAffinity } from '#api/node-selector.ts';
import { milliValue, wholeValue } from '#api/quantity.ts';
import { nonZeroRequests, podRequests } from '#api/resources.ts';
import { findUntolerated, tolerates } from '#api/taints.ts';

/** A cluster as lists of objects. */
export interface PlainCluster {
  readonly nodes: readonly Node[];
  /** Pods with spec.nodeName. */
  readonly pods: readonly Pod[];
  readonly namespaces: ReadonlyMap<string, Record<string, string>>;
  readonly services: readonly { namespace: string; selector: Record<string, string> }[];
}

export interface PlainDecision {
  /** Plugin and reasons per node that does not fit. */
  readonly refused: ReadonlyMap<string, readonly [plugin: string, reasons: readonly string[]]>;
  /** Total per node that fits; empty when there is one node only. */
  readonly totals: ReadonlyMap<string, number>;
  readonly feasible: readonly string[];
  readonly best: readonly string[];
}

export const decidePlainly = (pod: Pod, cluster: PlainCluster): PlainDecision => {
  const refused = new Map<string, readonly [string, readonly string[]]>();
  const feasible: Node[] = [];
  for (const node of cluster.nodes) {
    const refusal = refusalBy(pod, node, cluster);
    if (refusal === undefined) feasible.push(node);
    else refused.set(node.metadata.name, refusal);
  }
  const totals = feasible.length > 1 ? scoreAll(pod, feasible, cluster) : new Map<string, number>();
  const most = Math.max(...totals.values());
  const names = feasible.map(nameOf);
  return {
    refused,
    totals,
    feasible: names,
    best: feasible.length > 1 ? names.filter(name => totals.get(name) === most) : names,
  };
};

const nameOf = (node: Node): string => node.metadata.name;
const labelsOf = (object: { metadata: { labels?: Record<string, string> } }) => object.metadata.labels ?? {};
const namespaceOf = (pod: Pod): string => pod.metadata.namespace ?? 'default';
const podsOn = (node: Node, { pods }: PlainCluster): Pod[] => pods.filter(pod => pod.spec.nodeName === nameOf(node));
const amountOf = (resource: string, quantity: string): number =>
  resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);
const allocatable = (node: Node, resource: string): number =>
  amountOf(resource, node.status?.allocatable?.[resource] ?? '0');
const requestOf = (pod: Pod, resource: string): number =>
  amountOf(resource, podRequests(pod, { useStatus: pod.spec.nodeName !== undefined })[resource] ?? '0');
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

type Refusal = readonly [plugin: string, reasons: readonly string[]] | undefined;

const refusalBy = (pod: Pod, node: Node, cluster: PlainCluster): Refusal => {
  const { tolerations = [] } = pod.spec;
  const cordon = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };
  if (node.spec?.unschedulable && !tolerations.some(toleration => tolerates(toleration, cordon)))
    return ['NodeUnschedulable', ['node(s) were unschedulable']];
  if (findUntolerated(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']))
    return ['TaintToleration', ['node(s) had untolerated taint(s)']];
  if (!podMatchesNodeSelectorAndAffinity(pod, node))
    return ['NodeAffinity', ["node(s) didn't match Pod's node affinity/selector"]];
  return (
    portRefusal(pod, node, cluster) ??
    fitRefusal(pod, node, cluster) ??
    spreadRefusal(pod, node, cluster) ??
    affinityRefusal(pod, node, cluster)
  );
};

const portsOf = (pod: Pod) =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort = 0 }) => hostPort > 0)
    .map(({ hostPort, protocol, hostIP }) => ({
      port: hostPort,
      protocol: protocol ?? 'TCP',
      ip: hostIP || '0.0.0.0',
    }));

const portRefusal = (pod: Pod, node: Node, cluster: PlainCluster): Refusal => {
  const used = podsOn(node, cluster).flatMap(portsOf);
  const clashes = portsOf(pod).some(want =>
    used.some(
      has =>
        has.port === want.port &&
        has.protocol === want.protocol &&
        (has.ip === want.ip || has.ip === '0.0.0.0' || want.ip === '0.0.0.0'),
    ),
  );
  return clashes ? ['NodePorts', ["node(s) didn't have free ports for the requested pod ports"]] : undefined;
};

const fitRefusal = (pod: Pod, node: Node, cluster: PlainCluster): Refusal => {
  const there = podsOn(node, cluster);
  const reasons: string[] = [];
  if (there.length + 1 > allocatable(node, 'pods')) reasons.push('Too many pods');
  for (const resource of Object.keys(podRequests(pod))) {
    const want = requestOf(pod, resource);
    const used = sum(there.map(other => requestOf(other, resource)));
    if (want > 0 && want > allocatable(node, resource) - used) reasons.push(`Insufficient ${resource}`);
  }
  return reasons.length === 0 ? undefined : ['NodeResourcesFit', reasons];
};

/** A spread constraint with its defaults. */
interface Constraint {
  readonly maxSkew: number;
  readonly key: string;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
  readonly matches: (labels: Record<string, string>) => boolean;
  readonly countsNone: boolean;
}

const constraintsOf = (pod: Pod, action: string): Constraint[] =>
  (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((constraint: TopologySpreadConstraint) => {
      const { labelSelector, matchLabelKeys = [] } = constraint;
      const own = labelsOf(pod);
      const keys = matchLabelKeys.filter(key => own[key] !== undefined);
      const isEmpty =
        labelSelector !== undefined &&
        Object.keys(labelSelector.matchLabels ?? {}).length === 0 &&
        (labelSelector.matchExpressions ?? []).length === 0;
      return {
        maxSkew: constraint.maxSkew,
        key: constraint.topologyKey,
        minDomains: constraint.minDomains ?? 1,
        honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
        honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
        matches: labels =>
          keys.every(key => labels[key] === own[key]) &&
          (labelSelector === undefined && keys.length > 0 ? true : labelSelectorMatches(labelSelector, labels)),
        countsNone: isEmpty && keys.length === 0,
      };
    });

const counts = (constraint: Constraint, pod: Pod, node: Node): boolean =>
  (!constraint.honorsAffinity || podMatchesNodeSelectorAndAffinity(pod, node)) &&
  (!constraint.honorsTaints || !findUntolerated(node.spec?.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']));

const matchingOn = (constraint: Constraint, pod: Pod, node: Node, cluster: PlainCluster): number =>
  constraint.countsNone
    ? 0
    : podsOn(node, cluster).filter(
        other =>
          other.metadata.deletionTimestamp === undefined &&
          namespaceOf(other) === namespaceOf(pod) &&
          constraint.matches(labelsOf(other)),
      ).length;

const spreadRefusal = (pod: Pod, node: Node, cluster: PlainCluster): Refusal => {
  const constraints = constraintsOf(pod, 'DoNotSchedule');
  for (const constraint of constraints) {
    const value = labelsOf(node)[constraint.key];
    if (value === undefined)
      return ['PodTopologySpread', ["node(s) didn't match pod topology spread constraints (missing required label)"]];
    const domains = new Map<string, number>();
    for (const other of cluster.nodes) {
      if (!constraints.every(({ key }) => labelsOf(other)[key] !== undefined) || !counts(constraint, pod, other))
        continue;
      const domain = labelsOf(other)[constraint.key]!;
      domains.set(domain, (domains.get(domain) ?? 0) + matchingOn(constraint, pod, other, cluster));
    }
    const least = domains.size < constraint.minDomains ? 0 : Math.min(2 ** 31 - 1, ...domains.values());
    const self = constraint.matches(labelsOf(pod)) ? 1 : 0;
    if ((domains.get(value) ?? 0) + self - least > constraint.maxSkew)
      return ['PodTopologySpread', ["node(s) didn't match pod topology spread constraints"]];
  }
  return undefined;
};

/** `listed`: the term belongs to the incoming pod, whose namespace selector is resolved to namespaces that exist. */
const termSelects = (
  term: PodAffinityTerm,
  owner: Pod,
  other: Pod,
  cluster: PlainCluster,
  listed: boolean,
): boolean => {
  if (!labelSelectorMatches(term.labelSelector, labelsOf(other))) return false;
  const namespaces = term.namespaces ?? [];
  if (namespaces.length === 0 && term.namespaceSelector === undefined) return namespaceOf(other) === namespaceOf(owner);
  if (namespaces.includes(namespaceOf(other))) return true;
  if (term.namespaceSelector === undefined) return false;
  const selector = term.namespaceSelector;
  const isEmpty = !selector.matchLabels && !selector.matchExpressions;
  if (isEmpty) return true;
  const labels = cluster.namespaces.get(namespaceOf(other));
  if (labels === undefined && listed) return false;
  return labelSelectorMatches(selector, labels ?? {});
};

const required = (pod: Pod, kind: 'podAffinity' | 'podAntiAffinity'): readonly PodAffinityTerm[] =>
  pod.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferred = (pod: Pod, kind: 'podAffinity' | 'podAntiAffinity') =>
  pod.spec.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

const hostOf = (pod: Pod, cluster: PlainCluster): Node | undefined =>
  cluster.nodes.find(node => nameOf(node) === pod.spec.nodeName);

const together = (a: Node, b: Node | undefined, key: string): boolean =>
  b !== undefined && labelsOf(a)[key] !== undefined && labelsOf(a)[key] === labelsOf(b)[key];

const affinityRefusal = (pod: Pod, node: Node, cluster: PlainCluster): Refusal => {
  const terms = required(pod, 'podAffinity');
  const matchesAll = (other: Pod): boolean => terms.every(term => termSelects(term, pod, other, cluster, true));
  const companions = terms.length === 0 ? [] : cluster.pods.filter(matchesAll);
  const isMet = terms.every(({ topologyKey }) =>
    companions.some(other => together(node, hostOf(other, cluster), topologyKey)),
  );
  if (!isMet) {
    const hasKeys = terms.every(({ topologyKey }) => labelsOf(node)[topologyKey] !== undefined);
    const someCount = companions.some(other =>
      terms.some(({ topologyKey }) => {
        const host = hostOf(other, cluster);
        return host !== undefined && labelsOf(host)[topologyKey] !== undefined;
      }),
    );
    if (!hasKeys || someCount || !matchesAll(pod))
      return ['InterPodAffinity', ["node(s) didn't match pod affinity rules"]];
  }
  for (const term of required(pod, 'podAntiAffinity'))
    for (const other of cluster.pods)
      if (termSelects(term, pod, other, cluster, true) && together(node, hostOf(other, cluster), term.topologyKey))
        return ['InterPodAffinity', ["node(s) didn't match pod anti-affinity rules"]];
  for (const other of cluster.pods)
    for (const term of required(other, 'podAntiAffinity'))
      if (termSelects(term, other, pod, cluster, false) && together(node, hostOf(other, cluster), term.topologyKey))
        return ['InterPodAffinity', ["node(s) didn't satisfy existing pods anti-affinity rules"]];
  return undefined;
};

// ── scores ───────────────────────────────────────────────────────────────────

type Scores = Map<string, number>;

const scoreAll = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores => {
  const totals: Scores = new Map(nodes.map(node => [nameOf(node), 0]));
  const add = (weight: number, scores: Scores): void => {
    for (const [node, score] of scores) totals.set(node, totals.get(node)! + weight * score);
  };
  add(3, taintScores(pod, nodes));
  add(2, nodeAffinityScores(pod, nodes));
  add(1, leastAllocated(pod, nodes, cluster));
  add(1, balanced(pod, nodes, cluster));
  add(1, imageScores(pod, nodes, cluster));
  add(2, spreadScores(pod, nodes, cluster));
  add(2, affinityScores(pod, nodes, cluster));
  return totals;
};

const each = (nodes: readonly Node[], score: (node: Node) => number): Scores =>
  new Map(nodes.map(node => [nameOf(node), score(node)]));

const taintScores = (pod: Pod, nodes: readonly Node[]): Scores => {
  const tolerations = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
  const raw = each(
    nodes,
    node =>
      (node.spec?.taints ?? []).filter(
        taint => taint.effect === 'PreferNoSchedule' && !tolerations.some(toleration => tolerates(toleration, taint)),
      ).length,
  );
  const most = Math.max(...raw.values());
  return new Map([...raw].map(([node, score]) => [node, most === 0 ? 100 : 100 - Math.floor((100 * score) / most)]));
};

const nodeAffinityScores = (pod: Pod, nodes: readonly Node[]): Scores => {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const raw = each(nodes, node =>
    sum(terms.map(({ weight, preference }) => (compileNodeSelectorTerm(preference)?.(node) ? weight : 0))),
  );
  const most = Math.max(...raw.values());
  return new Map([...raw].map(([node, score]) => [node, most === 0 ? 0 : Math.floor((100 * score) / most)]));
};

const leastAllocated = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores =>
  each(nodes, node => {
    const there = podsOn(node, cluster).map(other => nonZeroRequests(other, { useStatus: true }));
    const own = nonZeroRequests(pod);
    const scores: number[] = [];
    for (const [resource, key] of [
      ['cpu', 'cpuMilli'],
      ['memory', 'memoryBytes'],
    ] as const) {
      const has = allocatable(node, resource);
      if (has === 0) continue;
      const used = sum(there.map(request => request[key])) + own[key];
      scores.push(used > has ? 0 : Math.floor(((has - used) * 100) / has));
    }
    return scores.length === 0 ? 0 : Math.floor(sum(scores) / scores.length);
  });

const balanced = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores => {
  if (requestOf(pod, 'cpu') === 0 && requestOf(pod, 'memory') === 0) return new Map();
  return each(nodes, node => {
    const fractions = ['cpu', 'memory'].flatMap(resource => {
      const has = allocatable(node, resource);
      const used = sum(podsOn(node, cluster).map(other => requestOf(other, resource))) + requestOf(pod, resource);
      return has === 0 ? [] : [Math.min(1, used / has)];
    });
    const deviation = fractions.length === 2 ? Math.abs((fractions[0]! - fractions[1]!) / 2) : 0;
    return Math.trunc((1 - deviation) * 100);
  });
};

const imageScores = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores => {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const images = containers.map(({ image = '' }) =>
    image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image,
  );
  const sizeOn = (node: Node, image: string): number | undefined =>
    node.status?.images?.find(({ names = [] }) => names.includes(image))?.sizeBytes;
  const low = 23 * 2 ** 20;
  const high = 1000 * 2 ** 20 * images.length;
  return each(nodes, node => {
    const size = sum(
      images.map(image => {
        const here = sizeOn(node, image);
        const holders = cluster.nodes.filter(other => sizeOn(other, image) !== undefined).length;
        return here === undefined ? 0 : Math.trunc(here * (holders / cluster.nodes.length));
      }),
    );
    return Math.floor((100 * (Math.min(Math.max(size, low), high) - low)) / (high - low));
  });
};

const host = 'kubernetes.io/hostname';

const defaultConstraints = (pod: Pod, { services }: PlainCluster): Constraint[] => {
  const merged: Record<string, string> = {};
  for (const { namespace, selector } of services)
    if (namespace === namespaceOf(pod) && labelSelectorMatches({ matchLabels: selector }, labelsOf(pod)))
      Object.assign(merged, selector);
  if (Object.keys(merged).length === 0) return [];
  const constraint = (key: string, maxSkew: number): Constraint => ({
    key,
    maxSkew,
    minDomains: 1,
    honorsAffinity: true,
    honorsTaints: false,
    matches: labels => labelSelectorMatches({ matchLabels: merged }, labels),
    countsNone: false,
  });
  return [constraint(host, 3), constraint('topology.kubernetes.io/zone', 5)];
};

const spreadScores = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores => {
  const isOwn = (pod.spec.topologySpreadConstraints ?? []).length > 0;
  const constraints = isOwn ? constraintsOf(pod, 'ScheduleAnyway') : defaultConstraints(pod, cluster);
  if (constraints.length === 0) return new Map();
  const hasAll = (node: Node): boolean => constraints.every(({ key }) => labelsOf(node)[key] !== undefined);
  const counted = nodes.filter(node => !isOwn || hasAll(node));
  const raw = each(counted, node => {
    let score = 0;
    for (const constraint of constraints) {
      const value = labelsOf(node)[constraint.key];
      if (value === undefined) continue;
      const isHost = constraint.key === host;
      const size = isHost ? counted.length : new Set(counted.map(other => labelsOf(other)[constraint.key] ?? '')).size;
      const matching = isHost
        ? matchingOn(constraint, pod, node, cluster)
        : sum(
            cluster.nodes
              .filter(
                other =>
                  (labelsOf(other)[constraint.key] ?? '') === value &&
                  (!isOwn || hasAll(other)) &&
                  counts(constraint, pod, other),
              )
              .map(other => matchingOn(constraint, pod, other, cluster)),
          );
      score += matching * Math.log(size + 2) + (constraint.maxSkew - 1);
    }
    return Math.round(score);
  });
  const least = Math.min(...raw.values());
  const most = Math.max(0, ...raw.values());
  return each(nodes, node => {
    const score = raw.get(nameOf(node));
    if (score === undefined) return 0;
    return most === 0 ? 100 : Math.floor((100 * (most + least - score)) / most);
  });
};

const affinityScores = (pod: Pod, nodes: readonly Node[], cluster: PlainCluster): Scores => {
  const raw = each(nodes, node => {
    let score = 0;
    for (const other of cluster.pods) {
      const there = hostOf(other, cluster);
      for (const [kind, sign] of [
        ['podAffinity', 1],
        ['podAntiAffinity', -1],
      ] as const) {
        for (const { weight, podAffinityTerm: term } of preferred(pod, kind))
          if (termSelects(term, pod, other, cluster, true) && together(node, there, term.topologyKey))
            score += sign * weight;
        for (const { weight, podAffinityTerm: term } of preferred(other, kind))
          if (termSelects(term, other, pod, cluster, false) && together(node, there, term.topologyKey))
            score += sign * weight;
      }
      for (const term of required(other, 'podAffinity'))
        if (termSelects(term, other, pod, cluster, false) && together(node, there, term.topologyKey)) score += 1;
    }
    return score;
  });
  const least = Math.min(...raw.values());
  const range = Math.max(...raw.values()) - least;
  return new Map(
    [...raw].map(([node, score]) => [node, range === 0 ? 0 : Math.trunc(100 * ((score - least) / range))]),
  );
};
