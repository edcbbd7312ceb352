/**
 * What the server can tell about logs, exec and attach of a pod before it asks the node's agent: which container is meant,
 * whether there is something to read or to join. Pure; the errors are upstream's (KUBECTL-WIRE §3.1, §4.1).
 */
import type { ContainerStatus, Pod } from '#api/kinds/core.ts';
import type { ExecRequest, LogRequest, SessionRequest } from '#api/node-calls.ts';
import { ApiError, badRequest, type Cause, invalid, invalidValue } from '#api/status.ts';
import { isTrue } from './request-info.ts';

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container';

/** Undefined: the pod has no node yet, and its log is empty, as upstream. Throws BadRequest, or Invalid for options that cannot be. */
export const logRequest = (pod: Pod, query: URLSearchParams): LogRequest | undefined => {
  const container = containerOf(pod, query.get('container') ?? '');
  const previous = isTrue(query.get('previous'));
  const numbers = logNumbers(query);
  if (!pod.spec.nodeName) return undefined;
  checkLogs(pod, container, previous);
  const { sinceTime, stream } = { sinceTime: query.get('sinceTime') ?? '', stream: query.get('stream') ?? '' };
  return {
    ...nameOf(pod, container),
    follow: isTrue(query.get('follow')),
    previous,
    timestamps: isTrue(query.get('timestamps')),
    ...numbers,
    ...(sinceTime === '' ? {} : { sinceTime }),
    ...(stream === 'Stdout' || stream === 'Stderr' ? { stream } : {}),
  };
};

export const sessionRequest = (pod: Pod, query: URLSearchParams): SessionRequest => {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`);
  const container = containerOf(pod, query.get('container') ?? '');
  const [stdin, stdout, stderr, tty] = ['stdin', 'stdout', 'stderr', 'tty'].map(name => isTrue(query.get(name)));
  if (!stdin && !stdout && !stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  checkRunning(pod, container);
  return { ...nameOf(pod, container), stdin: stdin!, stdout: stdout!, stderr: stderr! && !tty, tty: tty! };
};

export const execRequest = (pod: Pod, query: URLSearchParams): ExecRequest => {
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify a command for the container');
  return { ...sessionRequest(pod, query), command };
};

const nameOf = ({ metadata }: Pod, container: string) => ({
  namespace: metadata.namespace ?? '',
  pod: metadata.name,
  uid: metadata.uid ?? '',
  container,
});

/** The container asked for, or the only one, or the one that the pod's annotation names. */
const containerOf = ({ metadata, spec }: Pod, asked: string): string => {
  const init = (spec.initContainers ?? []).map(({ name }) => name);
  const all = [
    ...spec.containers.map(({ name }) => name),
    ...init,
    ...(spec.ephemeralContainers ?? []).map(({ name }) => name),
  ];
  if (asked !== '') {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
    return asked;
  }
  const annotated = metadata.annotations?.[defaultContainerAnnotation];
  if (annotated !== undefined && all.includes(annotated)) return annotated;
  if (spec.containers.length === 1) return spec.containers[0]!.name;
  const containers = `[${spec.containers.map(({ name }) => name).join(' ')}]`;
  const inits = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: ${containers}${inits}`);
};

const statusOf = ({ status }: Pod, container: string): ContainerStatus | undefined =>
  [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);

/** Mirrors the kubelet's validateContainerLogStatus. */
const checkLogs = (pod: Pod, container: string, previous: boolean): void => {
  const { name } = pod.metadata;
  const status = statusOf(pod, container);
  if (status === undefined)
    throw badRequest(
      `container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} is waiting to start: ${waitingReason(pod)}`,
    );
  const { waiting, running, terminated } = status.state ?? {};
  const last = status.lastState?.terminated;
  if (previous) {
    if (!last?.containerID)
      throw badRequest(
        `previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} not found`,
      );
    return;
  }
  if (running !== undefined || terminated?.containerID) return;
  if (last?.containerID) return;
  if (terminated !== undefined)
    throw badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} is terminated`);
  throw badRequest(waitingText(waiting?.reason ?? waitingReason(pod), container, name));
};

const waitingText = (reason: string, container: string, pod: string): string => {
  const place = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod)}`;
  if (reason === 'ErrImagePull') return `${place} is waiting to start: image can't be pulled`;
  if (reason === 'ImagePullBackOff') return `${place} is waiting to start: trying and failing to pull image`;
  return `${place} is waiting to start: ${reason}`;
};

const waitingReason = ({ spec }: Pod): string =>
  (spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';

const checkRunning = (pod: Pod, container: string): void => {
  const { name } = pod.metadata;
  if (!pod.spec.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  if (statusOf(pod, container)?.state?.running === undefined) throw containerNotFound(container);
};

// The kubelet's sentence.
const containerNotFound = (container: string): ApiError =>
  new ApiError({ code: 404, reason: 'NotFound', message: `container not found (${JSON.stringify(container)})` });

const logNumbers = (query: URLSearchParams): Pick<LogRequest, 'tailLines' | 'sinceSeconds' | 'limitBytes'> => {
  const causes: Cause[] = [];
  const numbers: { tailLines?: number; sinceSeconds?: number; limitBytes?: number } = {};
  const least = { tailLines: 0, sinceSeconds: 1, limitBytes: 1 } as const;
  for (const field of ['tailLines', 'sinceSeconds', 'limitBytes'] as const) {
    const text = query.get(field);
    if (text === null || text === '') continue;
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text))
      throw badRequest(
        `unable to decode the query parameter ${field}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    if (value < least[field])
      causes.push(
        invalidValue(
          field,
          value,
          least[field] === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0',
        ),
      );
    else numbers[field] = value;
  }
  if (query.get('sinceTime') && query.get('sinceSeconds'))
    causes.push({
      reason: 'FieldValueForbidden',
      field: '',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  if (causes.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', causes);
  return numbers;
};
