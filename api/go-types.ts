/**
 * Names of Go types, for error texts alone: users know `cannot unmarshal string into Go struct field
 * ContainerPort.spec.containers.ports.containerPort of type int32` from real API servers, and search for it.
 */
import { quantityTitle, type SchemaNode } from './schema.ts';

/** Named string types, by `Struct.field`, or by field alone where every struct agrees. */
const namedStrings: ReadonlyMap<string, string> = new Map([
  ['protocol', 'v1.Protocol'],
  ['imagePullPolicy', 'v1.PullPolicy'],
  ['terminationMessagePolicy', 'v1.TerminationMessagePolicy'],
  ['dnsPolicy', 'v1.DNSPolicy'],
  ['preemptionPolicy', 'v1.PreemptionPolicy'],
  ['effect', 'v1.TaintEffect'],
  ['whenUnsatisfiable', 'v1.UnsatisfiableConstraintAction'],
  ['scheme', 'v1.URIScheme'],
  ['medium', 'v1.StorageMedium'],
  ['uid', 'types.UID'],
  ['PodSpec.restartPolicy', 'v1.RestartPolicy'],
  ['Container.restartPolicy', 'v1.ContainerRestartPolicy'],
  ['ContainerResizePolicy.restartPolicy', 'v1.ResourceResizeRestartPolicy'],
  ['PodStatus.phase', 'v1.PodPhase'],
  ['NamespaceStatus.phase', 'v1.NamespacePhase'],
  ['Toleration.operator', 'v1.TolerationOperator'],
  ['LabelSelectorRequirement.operator', 'v1.LabelSelectorOperator'],
  ['NodeSelectorRequirement.operator', 'v1.NodeSelectorOperator'],
  ['Secret.type', 'v1.SecretType'],
  ['ServiceSpec.type', 'v1.ServiceType'],
  ['ServiceSpec.sessionAffinity', 'v1.ServiceAffinity'],
]);

/** `Container` of `io.k8s.api.core.v1.Container`. */
export const structName = (title: string): string => title.slice(title.lastIndexOf('.') + 1);

/** `v1.Container` of `io.k8s.api.core.v1.Container`. */
const qualifiedName = (title: string): string => title.split('.').slice(-2).join('.');

/** The Go type of a schema node; `struct` and `field` say where it stands. */
export const goType = (node: SchemaNode, struct = '', field = ''): string => {
  if (node.title === quantityTitle) return 'resource.Quantity';
  switch (node.type) {
    case 'string':
      if (node.format === 'byte') return '[]uint8';
      return namedStrings.get(`${struct}.${field}`) ?? namedStrings.get(field) ?? 'string';
    case 'integer':
      return node.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'array':
      return `[]${node.items === undefined ? 'interface {}' : goType(node.items)}`;
    default:
      if (Object.hasOwn(node, 'x-berth-resource-list')) return 'v1.ResourceList';
      if (node.title !== undefined) return qualifiedName(node.title);
      return `map[string]${node.additionalProperties === undefined ? 'interface {}' : goType(node.additionalProperties)}`;
  }
};
