/** Validation of probes and lifecycle hooks. */
import type { Container, Lifecycle, LifecycleHandler, PodSpec, Probe } from './kinds/core.ts';
import { headerNameFaults, portNameFaults, portNumberFaults } from './names.ts';
import { forbiddenField, invalidValue, notSupported, required } from './status.ts';
import { type Causes, checkNonNegative, pushFaults } from './validate.ts';

/** Hooks and probes: of app containers and sidecars. */
export const validateLive = (container: Container, spec: PodSpec, path: string, causes: Causes): void => {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle !== undefined) validateLifecycle(lifecycle, spec, `${path}.lifecycle`, causes);
  for (const [name, probe] of [
    ['livenessProbe', livenessProbe],
    ['startupProbe', startupProbe],
  ] as const) {
    if (probe === undefined) continue;
    validateProbe(probe, `${path}.${name}`, causes);
    if (probe.successThreshold !== 1)
      causes.push(invalidValue(`${path}.${name}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
  if (readinessProbe === undefined) return;
  validateProbe(readinessProbe, `${path}.readinessProbe`, causes);
  const grace = readinessProbe.terminationGracePeriodSeconds;
  if (grace !== undefined)
    causes.push(
      invalidValue(
        `${path}.readinessProbe.terminationGracePeriodSeconds`,
        grace,
        'must not be set for readinessProbes',
      ),
    );
};

const probeNumbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

const validateProbe = (probe: Probe, path: string, causes: Causes): void => {
  validateHandler(probe, undefined, path, causes);
  for (const name of probeNumbers) checkNonNegative(causes, `${path}.${name}`, probe[name]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0)
    causes.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
};

type Handler = Partial<LifecycleHandler> & Pick<Probe, 'grpc'>;

const validateHandler = (handler: Handler, graceSeconds: number | undefined, path: string, causes: Causes): void => {
  const names = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
  const present = names.filter(name => handler[name] !== undefined);
  for (const name of present.slice(1))
    causes.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type'));
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  switch (present[0]) {
    case undefined:
      causes.push(required(path, 'must specify a handler type'));
      return;
    case 'exec':
      if ((exec?.command ?? []).length === 0) causes.push(required(`${path}.exec.command`));
      return;
    case 'httpGet':
      if (httpGet !== undefined) validateHttpGet(httpGet, `${path}.httpGet`, causes);
      return;
    case 'tcpSocket':
      checkPort(tcpSocket?.port, `${path}.tcpSocket.port`, causes);
      return;
    case 'grpc':
      checkPort(grpc?.port, `${path}.grpc.port`, causes);
      return;
    case 'sleep': {
      const seconds = sleep?.seconds ?? 0;
      if (graceSeconds !== undefined && (seconds < 0 || seconds > graceSeconds))
        causes.push(
          invalidValue(
            `${path}.sleep`,
            seconds,
            `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
          ),
        );
    }
  }
};

const validateHttpGet = (get: NonNullable<Probe['httpGet']>, path: string, causes: Causes): void => {
  if (!get.path) causes.push(required(`${path}.path`));
  checkPort(get.port, `${path}.port`, causes);
  const scheme: string = get.scheme ?? '';
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') causes.push(notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']));
  for (const header of get.httpHeaders ?? [])
    pushFaults(causes, `${path}.httpHeaders`, header.name ?? '', headerNameFaults(header.name ?? ''));
};

/** A port number, or the name of a port. */
export const checkPort = (port: number | string | undefined, path: string, causes: Causes): void => {
  const value = port ?? 0;
  pushFaults(causes, path, value, typeof value === 'number' ? portNumberFaults(value) : portNameFaults(value));
};

const plainSignals =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX';
const counted = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i + 1}`);
/** Names of signals that a Linux container can be stopped with, sorted. */
const signals = [...plainSignals.split(' '), ...counted('RTMIN+', 15), ...counted('RTMAX-', 14)]
  .map(name => `SIG${name}`)
  .sort();

const validateLifecycle = (lifecycle: Lifecycle, spec: PodSpec, path: string, causes: Causes): void => {
  for (const name of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[name];
    if (handler !== undefined) validateHandler(handler, spec.terminationGracePeriodSeconds, `${path}.${name}`, causes);
  }
  const { stopSignal } = lifecycle;
  if (stopSignal === undefined) return;
  if (spec.os === undefined)
    causes.push(forbiddenField(`${path}.stopSignal`, 'may not be set for containers with empty `spec.os.name`'));
  else if (spec.os.name === 'linux' && !signals.includes(stopSignal))
    causes.push(notSupported(`${path}.stopSignal`, stopSignal, signals));
};
