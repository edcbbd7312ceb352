/** Schemas of probes and lifecycle hooks. */
import type { Static } from 'typebox';
import { core, field, int32, int64, intOrString, listOf, openEnum, string, struct } from '#api/schema.ts';

const execActionSchema = struct(
  core('ExecAction'),
  'Runs a command in the container; exit code 0 is success.',
  {},
  { command: listOf(string('A word of the command.'), 'The command; no shell is involved.') },
);
const httpHeaderSchema = struct(
  core('HTTPHeader'),
  'A header of a probe request.',
  { name: string('Name of the header.'), value: string('Value of the header.') },
  {},
);
const httpGetActionSchema = struct(
  core('HTTPGetAction'),
  'An HTTP GET; a code from 200 to 399 is success.',
  { port: intOrString('Port number or name of a container port.') },
  {
    path: string('Path of the request.', { default: '/' }),
    host: string('Host to connect to; default the address of the pod.'),
    scheme: openEnum<'HTTP' | 'HTTPS'>('HTTP or HTTPS.', { default: 'HTTP' }),
    httpHeaders: listOf(httpHeaderSchema, 'Headers to send.'),
  },
);
const tcpSocketActionSchema = struct(
  core('TCPSocketAction'),
  'Opens a TCP connection; being accepted is success.',
  { port: intOrString('Port number or name of a container port.') },
  { host: string('Host to connect to; default the address of the pod.') },
);
const grpcActionSchema = struct(
  core('GRPCAction'),
  'Asks the gRPC health service.',
  { port: int32('Port of the gRPC service.') },
  { service: string('Service name put into the health request.', { default: '' }) },
);
const sleepActionSchema = struct(core('SleepAction'), 'Waits.', { seconds: int64('How long, in seconds.') }, {});

export const probeSchema = struct(
  core('Probe'),
  'A check of a container, repeated while it runs.',
  {},
  {
    exec: field(execActionSchema, 'Command to run in the container.'),
    httpGet: field(httpGetActionSchema, 'HTTP request to make.'),
    tcpSocket: field(tcpSocketActionSchema, 'TCP connection to open.'),
    grpc: field(grpcActionSchema, 'gRPC health request to make.'),
    initialDelaySeconds: int32('Seconds after the start of the container before the first check.'),
    timeoutSeconds: int32('Seconds until a check counts as failed; default 1.'),
    periodSeconds: int32('Seconds between checks; default 10.'),
    successThreshold: int32('Successes in a row that turn the probe successful; default 1.'),
    failureThreshold: int32('Failures in a row that turn the probe failed; default 3.'),
    terminationGracePeriodSeconds: int64('Grace for a container that this probe ends; default that of the pod.'),
  },
);
export interface Probe extends Static<typeof probeSchema> {}

const lifecycleHandlerSchema = struct(
  core('LifecycleHandler'),
  'What a hook does; exactly one.',
  {},
  {
    exec: field(execActionSchema, 'Command to run in the container.'),
    httpGet: field(httpGetActionSchema, 'HTTP request to make.'),
    tcpSocket: field(tcpSocketActionSchema, 'Deprecated and without effect.'),
    sleep: field(sleepActionSchema, 'Time to wait.'),
  },
);
export interface LifecycleHandler extends Static<typeof lifecycleHandlerSchema> {}
export const lifecycleSchema = struct(
  core('Lifecycle'),
  'What is done after a container starts and before it is stopped.',
  {},
  {
    postStart: field(lifecycleHandlerSchema, 'Done right after the start; failure kills the container.'),
    preStop: field(lifecycleHandlerSchema, 'Done before the container is told to stop, within the grace period.'),
    stopSignal: string('Signal that stops the container; default that of the image, else SIGTERM.'),
  },
);
export interface Lifecycle extends Static<typeof lifecycleSchema> {}
