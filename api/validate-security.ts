/** Validation of security settings of pods and containers: IDs, profiles, sysctls, and settings that contradict each other. */
import type { PodSpec, SecurityContext } from './kinds/core.ts';
import { descendingPathFaults, idFaults } from './names.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from './status.ts';
import { type Causes, pushFaults } from './validate.ts';

/** Settings of one container. */
export const validateSecurityContext = (
  context: SecurityContext,
  spec: PodSpec,
  path: string,
  causes: Causes,
): void => {
  checkId(context.runAsUser, `${path}.runAsUser`, causes);
  checkId(context.runAsGroup, `${path}.runAsGroup`, causes);
  const { procMount } = context;
  if (procMount !== undefined) {
    const known = ['Default', 'Unmasked'];
    if (!known.includes(procMount)) causes.push(notSupported(`${path}.procMount`, procMount, known));
    if (procMount === 'Unmasked' && spec.hostUsers !== false)
      causes.push(invalidValue(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  validateSeccomp(context.seccompProfile, `${path}.seccompProfile`, causes);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged)
      causes.push(
        invalidValue(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'),
      );
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      causes.push(
        invalidValue(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      );
  }
  validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, causes);
  if (spec.os?.name === 'linux' && context.windowsOptions !== undefined)
    causes.push(forbiddenField(`${path}.windowsOptions`, 'windows options cannot be set for a linux pod'));
};

/** Settings of the pod. */
export const validatePodSecurityContext = (spec: PodSpec, path: string, causes: Causes): void => {
  const context = spec.securityContext ?? {};
  checkId(context.fsGroup, `${path}.fsGroup`, causes);
  checkId(context.runAsUser, `${path}.runAsUser`, causes);
  checkId(context.runAsGroup, `${path}.runAsGroup`, causes);
  (context.supplementalGroups ?? []).forEach((group, i) => {
    checkId(group, `${path}.supplementalGroups[${i}]`, causes);
  });
  if (spec.shareProcessNamespace && spec.hostPID)
    causes.push(
      invalidValue(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  validateSysctls(spec, `${path}.sysctls`, causes);
  checkKnown(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`, causes);
  validateSeccomp(context.seccompProfile, `${path}.seccompProfile`, causes);
  validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`, causes);
  checkKnown(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`, causes);
  checkKnown(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${path}.seLinuxChangePolicy`, causes);
  if (spec.os?.name === 'linux' && context.windowsOptions !== undefined)
    causes.push(forbiddenField(`${path}.windowsOptions`, 'windows options cannot be set for a linux pod'));
};

const checkId = (id: number | undefined, path: string, causes: Causes): void => {
  if (id !== undefined) pushFaults(causes, path, id, idFaults(id));
};

const checkKnown = (value: string | undefined, known: readonly string[], path: string, causes: Causes): void => {
  if (value !== undefined && !known.includes(value)) causes.push(notSupported(path, value, known));
};

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

const validateSeccomp = (profile: Profile | undefined, path: string, causes: Causes): void => {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  if (!type) causes.push(required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(type)) causes.push(notSupported(`${path}.type`, type, profileTypes));
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      causes.push(invalidValue(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
  } else if (localhostProfile === undefined) {
    causes.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  } else {
    pushFaults(causes, `${path}.localhostProfile`, localhostProfile, descendingPathFaults(localhostProfile));
  }
};

const maxPathBytes = 4095;

const validateAppArmor = (profile: Profile | undefined, path: string, causes: Causes): void => {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const field = `${path}.localhostProfile`;
  if (!type) causes.push(required(`${path}.type`, 'type is required when appArmorProfile is set'));
  else if (!profileTypes.includes(type)) causes.push(notSupported(`${path}.type`, type, profileTypes));
  else if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      causes.push(invalidValue(field, localhostProfile, 'can only be set when AppArmor type is Localhost'));
  } else if (localhostProfile === undefined || localhostProfile === '') {
    causes.push(required(field, 'must be set when AppArmor type is Localhost'));
  } else {
    if (localhostProfile.trim() !== localhostProfile)
      causes.push(invalidValue(field, localhostProfile, 'must not be padded with whitespace'));
    if (localhostProfile.length > maxPathBytes) causes.push(tooLong(field, maxPathBytes));
  }
};

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlRule =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const ipcSysctls = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;

const validateSysctls = (spec: PodSpec, path: string, causes: Causes): void => {
  const seen = new Set<string>();
  (spec.securityContext?.sysctls ?? []).forEach(({ name }, i) => {
    const at = `${path}[${i}].name`;
    if (!name) causes.push(required(at));
    else if (name.length > 253 || !sysctlName.test(name)) causes.push(invalidValue(at, name, sysctlRule));
    else if (seen.has(name)) causes.push(duplicate(at, name));
    seen.add(name);
    if (spec.hostNetwork && /^net[./]/.test(name ?? ''))
      causes.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC && ipcSysctls.test(name ?? ''))
      causes.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
  });
};
