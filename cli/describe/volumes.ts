/** The volumes of a pod in `describe pod`. */
import type { Pod } from '#api/kinds/core.ts';
import type { Page } from './page.ts';

type Volume = NonNullable<Pod['spec']['volumes']>[number];
type Line = readonly [title: string, value: string];

/** `inTemplate`: as part of a pod template, which stands two spaces further in. */
export const volumeLines = (page: Page, volumes: readonly Volume[], inTemplate = false): void => {
  const space = inTemplate ? '  ' : '';
  if (volumes.length === 0) {
    page.line(0, `${space}Volumes:\t<none>`);
    return;
  }
  page.line(0, `${space}Volumes:`);
  for (const volume of volumes) {
    page.line(1, `${inTemplate ? ' ' : ''}${volume.name}:`);
    for (const [title, value] of linesOf(volume))
      page.line(2, value === '' && title === 'Items' ? 'Items:' : `${title}:\t${value}`);
    for (const item of volume.downwardAPI?.items ?? []) {
      const from = item.fieldRef?.fieldPath ?? item.resourceFieldRef?.resource ?? '';
      page.line(3, `${from} -> ${item.path}`);
    }
  }
};

const linesOf = (volume: Volume): readonly Line[] => {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim } = volume;
  if (emptyDir) {
    return [
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', emptyDir.medium ?? ''],
      ['SizeLimit', emptyDir.sizeLimit && emptyDir.sizeLimit !== '0' ? emptyDir.sizeLimit : '<unset>'],
    ];
  }
  if (hostPath) {
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath.path],
      ['HostPathType', hostPath.type ?? '<none>'],
    ];
  }
  if (secret) {
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret.secretName ?? ''],
      ['Optional', String(secret.optional ?? false)],
    ];
  }
  if (configMap) {
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap.name ?? ''],
      ['Optional', String(configMap.optional ?? false)],
    ];
  }
  if (downwardAPI)
    return [
      ['Type', 'DownwardAPI (a volume populated by information about the pod)'],
      ['Items', ''],
    ];
  if (projected)
    return [
      ['Type', 'Projected (a volume that contains injected data from multiple sources)'],
      ...projectedLines(projected),
    ];
  if (persistentVolumeClaim) {
    return [
      ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
      ['ClaimName', persistentVolumeClaim.claimName],
      ['ReadOnly', String(persistentVolumeClaim.readOnly ?? false)],
    ];
  }
  return [['Type', '<unknown>']];
};

const projectedLines = (projected: NonNullable<Volume['projected']>): readonly Line[] =>
  (projected.sources ?? []).flatMap((source): Line[] => {
    if (source.secret) {
      const { name = '', optional } = source.secret;
      return [
        ['SecretName', name],
        ['SecretOptionalName', String(optional ?? '<nil>')],
      ];
    }
    if (source.downwardAPI) return [['DownwardAPI', 'true']];
    if (source.configMap) {
      const { name = '', optional } = source.configMap;
      return [
        ['ConfigMapName', name],
        ['ConfigMapOptional', String(optional ?? '<nil>')],
      ];
    }
    if (source.serviceAccountToken)
      return [['TokenExpirationSeconds', String(source.serviceAccountToken.expirationSeconds ?? 3600)]];
    return [];
  });
