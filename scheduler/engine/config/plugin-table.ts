/**
 * The plugins that a configuration can name: those of upstream v1.35 with their extension points, in the order and with
 * the weights of its default profile (SEMANTICS F.3), and what Berth has of each.
 */

export const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const;

export type ExtensionPoint = (typeof extensionPoints)[number];

/** Upstream's name of the interface at an extension point: `FilterPlugin`. */
export const interfaceOf = (point: ExtensionPoint): string => `${point[0]!.toUpperCase()}${point.slice(1)}Plugin`;

export interface KnownPlugin {
  readonly name: string;
  readonly extends: readonly ExtensionPoint[];
  /** In the default profile; absent counts as 1. */
  readonly weight?: number;
}

/** In the order of the default profile's multiPoint. */
export const builtIn: readonly KnownPlugin[] = [
  { name: 'SchedulingGates', extends: ['preEnqueue'] },
  { name: 'PrioritySort', extends: ['queueSort'] },
  { name: 'NodeUnschedulable', extends: ['filter'] },
  { name: 'NodeName', extends: ['filter'] },
  { name: 'TaintToleration', extends: ['filter', 'preScore', 'score'], weight: 3 },
  { name: 'NodeAffinity', extends: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  { name: 'NodePorts', extends: ['preFilter', 'filter'] },
  { name: 'NodeResourcesFit', extends: ['preFilter', 'filter', 'preScore', 'score'], weight: 1 },
  { name: 'VolumeRestrictions', extends: ['preFilter', 'filter'] },
  { name: 'NodeVolumeLimits', extends: ['preFilter', 'filter'] },
  { name: 'VolumeBinding', extends: ['preFilter', 'filter', 'preScore', 'score', 'reserve', 'preBind'] },
  { name: 'VolumeZone', extends: ['preFilter', 'filter'] },
  { name: 'PodTopologySpread', extends: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  { name: 'InterPodAffinity', extends: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  {
    name: 'DynamicResources',
    extends: ['preEnqueue', 'preFilter', 'filter', 'postFilter', 'score', 'reserve', 'preBind'],
    weight: 2,
  },
  { name: 'DefaultPreemption', extends: ['preEnqueue', 'postFilter'] },
  { name: 'NodeResourcesBalancedAllocation', extends: ['preScore', 'score'], weight: 1 },
  { name: 'ImageLocality', extends: ['score'], weight: 1 },
  { name: 'DefaultBinder', extends: ['bind'] },
];

/** Of other releases, or behind feature gates that are off in v1.35: leaving them out is fine, asking for them is not. */
export const unavailable: ReadonlyMap<string, string> = new Map([
  ['NodeDeclaredFeatures', 'it needs a feature gate that is off in Kubernetes v1.35'],
  ['GangScheduling', 'it needs a feature gate that is off in Kubernetes v1.35'],
  ['EBSLimits', 'Kubernetes v1.34 removed it'],
  ['GCEPDLimits', 'Kubernetes v1.34 removed it'],
  ['AzureDiskLimits', 'Kubernetes v1.34 removed it'],
]);

/** Plugins of the configuration by name: upstream's and the file's own. */
export type PluginTable = ReadonlyMap<string, KnownPlugin>;

export const tableWith = (own: readonly KnownPlugin[]): PluginTable =>
  new Map([...builtIn, ...own].map(plugin => [plugin.name, plugin]));
