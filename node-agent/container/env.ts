/**
 * The environment and command line of a container; pure. Order and precedence are the kubelet's: envFrom in order,
 * then env; later definitions win; `$(NAME)` sees service variables and what was defined before it.
 */
import type { ConfigMap, Container, Pod, Secret } from '#api/kinds/core.ts';
import { type DownwardFacts, fieldText, resourceText } from './downward.ts';

/** The pod's ConfigMaps and Secrets as the agent knows them; undefined: there is none of that name. */
export interface References {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** The container cannot be configured: becomes the waiting reason CreateContainerConfigError with this message. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export interface EnvContext {
  readonly pod: Pod;
  readonly container: Container;
  readonly references: References;
  readonly facts: DownwardFacts;
  /** Variables of services, which env may refer to and override. */
  readonly services: Readonly<Record<string, string>>;
  /** Decodes a Secret's value. */
  decode(base64: string): string;
}

/** Names that a POSIX environment cannot hold are left out, as upstream does with keys of envFrom. */
const isEnvName = (name: string): boolean => /^[^=\0]+$/.test(name);

type Lookup = (name: string) => string | undefined;

/**
 * Replaces `$(NAME)` by the variable's value and `$$` by `$`; an unknown name stays as written (upstream:
 * third_party/forked/golang/expansion).
 */
export const expand = (text: string, lookup: Lookup): string =>
  text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    whole === '$$' ? '$' : (lookup(name ?? '') ?? whole),
  );

const decodedData = (secret: Secret, context: EnvContext): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, context.decode(value)]));

const fromSources = (context: EnvContext): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const source of context.container.envFrom ?? []) {
    const { configMapRef, secretRef, prefix = '' } = source;
    let data: Readonly<Record<string, string>> | undefined;
    if (configMapRef) {
      const name = configMapRef.name ?? '';
      const configMap = context.references.configMap(name);
      if (!configMap && configMapRef.optional !== true) throw new ConfigError(`configmap "${name}" not found`);
      data = configMap?.data;
    } else if (secretRef) {
      const name = secretRef.name ?? '';
      const secret = context.references.secret(name);
      if (!secret && secretRef.optional !== true) throw new ConfigError(`secret "${name}" not found`);
      data = secret && decodedData(secret, context);
    }
    for (const [key, value] of Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
      if (isEnvName(prefix + key)) found.set(prefix + key, value);
  }
  return found;
};

type Variable = NonNullable<Container['env']>[number];

/** The value that `valueFrom` gives, or undefined for an optional one that is missing. */
const fromSource = (source: NonNullable<Variable['valueFrom']>, context: EnvContext): string | undefined => {
  const { pod, references, facts } = context;
  const namespace = pod.metadata.namespace ?? '';
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  if (fieldRef) {
    const text = fieldText(pod, fieldRef.fieldPath, facts);
    if (text === undefined) throw new ConfigError(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return text;
  }
  if (resourceFieldRef) {
    const container = containerNamed(pod, resourceFieldRef.containerName) ?? context.container;
    const { resource, divisor } = resourceFieldRef;
    const text = resourceText(container, resource, divisor, facts.allocatable);
    if (text === undefined) throw new ConfigError(`unsupported container resource : ${resource}`);
    return text;
  }
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef;
    const configMap = references.configMap(name);
    if (!configMap && !optional) throw new ConfigError(`configmap "${name}" not found`);
    const value = configMap?.data?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef;
    const secret = references.secret(name);
    if (!secret && !optional) throw new ConfigError(`secret "${name}" not found`);
    const value = secret?.data?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value === undefined ? undefined : context.decode(value);
  }
  throw new ConfigError('fileKeyRef is not supported by Berth');
};

export const containerNamed = (pod: Pod, name: string | undefined): Container | undefined =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(container => container.name === name);

/** All variables, in order of definition; throws ConfigError. */
export const environment = (context: EnvContext): ReadonlyMap<string, string> => {
  const own = new Map(fromSources(context));
  for (const variable of context.container.env ?? []) {
    const lookup: Lookup = name => own.get(name) ?? context.services[name];
    const value = variable.valueFrom ? fromSource(variable.valueFrom, context) : expand(variable.value ?? '', lookup);
    if (value !== undefined) own.set(variable.name, value);
  }
  const all = new Map(own);
  for (const [name, value] of Object.entries(context.services)) if (!all.has(name)) all.set(name, value);
  return all;
};

/** command and args with `$(NAME)` replaced; absent where the image's are to be used. */
export const commandLine = (
  container: Container,
  env: ReadonlyMap<string, string>,
): { readonly entrypoint?: readonly string[]; readonly command?: readonly string[] } => {
  const filled = (words: readonly string[]) => words.map(word => expand(word, name => env.get(name)));
  const { command, args } = container;
  return {
    ...(command?.length ? { entrypoint: filled(command) } : {}),
    ...(args?.length ? { command: filled(args) } : {}),
  };
};
