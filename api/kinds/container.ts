/** Schemas of containers: image, command, ports, resources, mounts and security settings. Env and probes have their own files. */
import type { Static } from 'typebox';
import {
  applySetOf,
  bool,
  core,
  field,
  int32,
  int64,
  listBy,
  listOf,
  oneOf,
  resourceList,
  string,
  struct,
} from '#api/schema.ts';
import { envFromSourceSchema, envVarSchema } from './env.ts';
import { lifecycleSchema, probeSchema } from './probe.ts';

export const protocol = (description: string) => oneOf(['SCTP', 'TCP', 'UDP'], description, { default: 'TCP' });

const containerPortSchema = struct(
  core('ContainerPort'),
  'A port that a container listens on.',
  { containerPort: int32('Port inside the pod, 1 to 65535.') },
  {
    name: string('Name of the port, unique in the pod; Services may refer to it.'),
    hostPort: int32('Port of the host that leads to it, 1 to 65535.'),
    protocol: protocol('Protocol of the port.'),
    hostIP: string('Host address that hostPort is bound to; default all.'),
  },
);
export interface ContainerPort extends Static<typeof containerPortSchema> {}

const resourceClaimSchema = struct(
  core('ResourceClaim'),
  'Use of one of the claims in spec.resourceClaims.',
  { name: string('Name of the claim in spec.resourceClaims.') },
  { request: string('Request within the claim; default: all of it.') },
);

export const resourceRequirementsSchema = struct(
  core('ResourceRequirements'),
  'What is asked for, and the most that may be used.',
  {},
  {
    limits: resourceList('The most that may be used, by resource.'),
    requests: resourceList('What is reserved, by resource; default: the limit where one is set.'),
    claims: listBy(resourceClaimSchema, { applyKeys: ['name'] }, 'Claims of devices that the container uses.'),
  },
);
export interface ResourceRequirements extends Static<typeof resourceRequirementsSchema> {}

const containerResizePolicySchema = struct(
  core('ContainerResizePolicy'),
  'What a change of a resource means for the running container.',
  {
    resourceName: string('The resource: cpu or memory.'),
    restartPolicy: string('NotRequired, or RestartContainer.'),
  },
  {},
);

const exitCodesSchema = struct(
  core('ContainerRestartRuleOnExitCodes'),
  'Exit codes a rule is about.',
  { operator: string('In or NotIn.') },
  { values: applySetOf(int32('An exit code.'), 'Exit codes, at most 255.') },
);
const containerRestartRuleSchema = struct(
  core('ContainerRestartRule'),
  'What to do when the container exits in a certain way.',
  { action: string('What to do; Restart restarts the container.') },
  { exitCodes: field(exitCodesSchema, 'Exit codes the rule is for.') },
);

export const volumeMountSchema = struct(
  core('VolumeMount'),
  'Where a volume of the pod appears in a container.',
  {
    name: string('Name of the volume in spec.volumes.'),
    mountPath: string('Path in the container; must not contain a colon.'),
  },
  {
    readOnly: bool('True: the container cannot write to it.'),
    recursiveReadOnly: string('Whether mounts below are read-only too: Disabled, IfPossible or Enabled.'),
    subPath: string('Path within the volume that is mounted; default its root.'),
    mountPropagation: string('How mounts spread between host and container: None, HostToContainer or Bidirectional.'),
    subPathExpr: string('As subPath, with $(NAME) replaced by variables of the container.'),
  },
);
export interface VolumeMount extends Static<typeof volumeMountSchema> {}

const volumeDeviceSchema = struct(
  core('VolumeDevice'),
  'Where a block device appears in a container.',
  { name: string('Name of the volume in spec.volumes.'), devicePath: string('Path of the device in the container.') },
  {},
);

const capabilitiesSchema = struct(
  core('Capabilities'),
  'Linux capabilities to add and to drop.',
  {},
  {
    add: listOf(string('A capability, without CAP_.'), 'Capabilities to add.'),
    drop: listOf(string('A capability, without CAP_.'), 'Capabilities to take away.'),
  },
);
export const seLinuxOptionsSchema = struct(
  core('SELinuxOptions'),
  'SELinux label.',
  {},
  {
    user: string('User part of the label.'),
    role: string('Role part of the label.'),
    type: string('Type part of the label.'),
    level: string('Level part of the label.'),
  },
);
export const windowsOptionsSchema = struct(
  core('WindowsSecurityContextOptions'),
  'Settings for Windows containers.',
  {},
  {
    gmsaCredentialSpecName: string('Name of the GMSA credential spec.'),
    gmsaCredentialSpec: string('The GMSA credential spec.'),
    runAsUserName: string('Windows user of the process.'),
    hostProcess: bool('True: run as a host process container.'),
  },
);
export const seccompProfileSchema = struct(
  core('SeccompProfile'),
  'System calls that are allowed.',
  { type: string('RuntimeDefault, Unconfined or Localhost.') },
  { localhostProfile: string('File of the profile on the node, for Localhost.') },
);
export const appArmorProfileSchema = struct(
  core('AppArmorProfile'),
  'AppArmor confinement.',
  { type: string('RuntimeDefault, Unconfined or Localhost.') },
  { localhostProfile: string('Name of the profile loaded on the node, for Localhost.') },
);

const securityContextSchema = struct(
  core('SecurityContext'),
  'Privileges of a container; wins over the settings of the pod.',
  {},
  {
    capabilities: field(capabilitiesSchema, 'Capabilities to add and to drop.'),
    privileged: bool('True: nearly all rights of root on the host.'),
    seLinuxOptions: field(seLinuxOptionsSchema, 'SELinux label of the container.'),
    windowsOptions: field(windowsOptionsSchema, 'Settings for Windows containers.'),
    runAsUser: int64('User ID of the process.'),
    runAsGroup: int64('Group ID of the process.'),
    runAsNonRoot: bool('True: refuse to start as user 0.'),
    readOnlyRootFilesystem: bool('True: the root file system is read-only.'),
    allowPrivilegeEscalation: bool('False: a process cannot gain more rights than its parent.'),
    procMount: string('How /proc is mounted: Default or Unmasked.'),
    seccompProfile: field(seccompProfileSchema, 'System calls that are allowed.'),
    appArmorProfile: field(appArmorProfileSchema, 'AppArmor confinement.'),
  },
);
export interface SecurityContext extends Static<typeof securityContextSchema> {}

const containerFields = {
  image: string('Image of the container.'),
  command: listOf(string('A word.'), 'Entrypoint; default that of the image. $(NAME) is replaced by variables.'),
  args: listOf(string('A word.'), 'Arguments of the entrypoint; default those of the image.'),
  workingDir: string('Working directory; default that of the image.'),
  ports: listBy(
    containerPortSchema,
    { mergeKey: 'containerPort', applyKeys: ['containerPort', 'protocol'] },
    'Ports that the container listens on.',
  ),
  envFrom: listOf(envFromSourceSchema, 'Sources of many variables; env wins, later sources win over earlier ones.'),
  env: listBy(envVarSchema, { mergeKey: 'name' }, 'Environment variables.'),
  resources: field(resourceRequirementsSchema, 'Requests and limits of the container.', { default: {} }),
  resizePolicy: listOf(containerResizePolicySchema, 'What changing a resource of the running container means.'),
  restartPolicy: string(
    'Overrides the policy of the pod for this container; Always makes an init container a sidecar.',
  ),
  restartPolicyRules: listOf(containerRestartRuleSchema, 'Rules on exit codes, tried before restartPolicy.'),
  volumeMounts: listBy(volumeMountSchema, { mergeKey: 'mountPath' }, 'Where volumes appear in the container.'),
  volumeDevices: listBy(volumeDeviceSchema, { mergeKey: 'devicePath' }, 'Block devices the container uses.'),
  livenessProbe: field(probeSchema, 'Failure restarts the container.'),
  readinessProbe: field(probeSchema, 'Failure takes the pod out of Services.'),
  startupProbe: field(probeSchema, 'Until it succeeds no other probe runs; failure restarts the container.'),
  lifecycle: field(lifecycleSchema, 'What is done after the start and before the stop.'),
  terminationMessagePath: string('File whose content becomes the termination message.', {
    default: '/dev/termination-log',
  }),
  terminationMessagePolicy: oneOf(
    ['FallbackToLogsOnError', 'File'],
    'Where the message comes from: File, or the log when the file is empty and the container failed.',
    { default: 'File' },
  ),
  imagePullPolicy: oneOf(
    ['Always', 'IfNotPresent', 'Never'],
    'When the image is pulled; default Always for the tag latest, else IfNotPresent.',
  ),
  securityContext: field(securityContextSchema, 'Privileges of the container.'),
  stdin: bool('True: keep standard input open.'),
  stdinOnce: bool('True: close standard input after the first client has gone.'),
  tty: bool('True: give the container a terminal.'),
};

export const containerSchema = struct(
  core('Container'),
  'A process of the pod and all that surrounds it.',
  { name: string('Name of the container, unique in the pod.') },
  containerFields,
);
export interface Container extends Static<typeof containerSchema> {}

export const ephemeralContainerSchema = struct(
  core('EphemeralContainer'),
  'A container added to a running pod for debugging; it has no resources and is not restarted.',
  { name: string('Name of the container, unique in the pod.') },
  { ...containerFields, targetContainerName: string('Container whose process namespace it joins.') },
);
export interface EphemeralContainer extends Static<typeof ephemeralContainerSchema> {}
