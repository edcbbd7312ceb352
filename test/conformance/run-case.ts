/** Runs a case of the documentation step by step against a cluster, in a namespace of its own, and cleans up after it. */
import { type Case, type CaseContext, manifestFolder, ownNamespace, type Script, type Step } from './cases.ts';
import type { TestCluster } from './cluster.ts';
import { waitFor } from './cluster.ts';
import { commandsOf, disappointment, type Output } from './expectation.ts';

/** How long a check without a time of its own may take to come true. */
const patienceSeconds = 10;

/** Throws with the step and what was seen when a step does not come out. */
export const runCase = async (
  cluster: TestCluster,
  nodes: readonly string[],
  found: Case,
  script: Script,
): Promise<void> => {
  const own = ownNamespace(found);
  const namespace = own ?? (script.inDefault ? 'default' : `case-${found.id}`);
  const kubeconfig = cluster.kubeconfigFor(namespace);
  const context: CaseContext = {
    nodes,
    namespace,
    engine: cluster.engine,
    kubectl: (args, input) => cluster.kubectl(args, { kubeconfig, ...(input === undefined ? {} : { input }) }),
  };
  try {
    if (own === undefined && !script.inDefault) await mustSucceed(context, ['create', 'namespace', namespace]);
    const steps = found.steps.flatMap((step, i) => script.instead?.[i] ?? [step]);
    for (const step of [...(script.before ?? []), ...steps]) await runStep(context, step);
  } finally {
    for (const step of script.after ?? []) await runStep(context, step);
    await cleanUp(context, script.inDefault === true);
  }
};

const mustSucceed = async (context: CaseContext, args: readonly string[]): Promise<void> => {
  const complaint = disappointment(await context.kubectl(args), {});
  if (complaint !== undefined) throw new Error(`kubectl ${args.join(' ')}: ${complaint}`);
};

/** Programs that do not listen to SIGTERM would take their whole grace period. */
const cleanUp = async (context: CaseContext, inDefault: boolean): Promise<void> => {
  await mustSucceed(context, ['delete', 'pods', '--all', '-n', context.namespace, '--grace-period=1', '--timeout=60s']);
  if (!inDefault) await mustSucceed(context, ['delete', 'namespace', context.namespace, '--timeout=60s']);
};

const runStep = async (context: CaseContext, step: Step): Promise<void> => {
  const complaint = await complaintOf(context, step);
  if (complaint !== undefined)
    throw new Error(`${step.do ?? step.check ?? step.checkEvents?.reason ?? 'probe'}: ${complaint}`);
};

const complaintOf = async (context: CaseContext, step: Step): Promise<string | undefined> => {
  if (step.note !== undefined || step.unit !== undefined) return undefined; // units are a unit test's
  if (step.do !== undefined) {
    const input = typeof step.input === 'function' ? await step.input(context) : step.input;
    return disappointment(await run(context, step.do, input), onNodes(context, step));
  }
  const look = async (): Promise<string | undefined> => {
    if (step.probe) return step.probe(context);
    if (step.checkEvents) return eventMissing(context, step);
    return disappointment(await run(context, step.check ?? ''), onNodes(context, step));
  };
  const first = await waitFor(step.within ?? patienceSeconds, look);
  if (first !== undefined || step.stableFor === undefined) return first;
  const untilMs = Date.now() + step.stableFor * 1000;
  while (Date.now() < untilMs) {
    const later = await look();
    if (later !== undefined) return `was right and did not stay so: ${later}`;
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
  return undefined;
};

/** NODE1 &c. in what is expected. */
const onNodes = (context: CaseContext, step: Step): Step =>
  step.equals === undefined ? step : { ...step, equals: nodeNames(context, step.equals) };

const nodeNames = (context: CaseContext, text: string): string =>
  text.replace(/\bNODE(\d)\b/g, (whole, digit: string) => context.nodes[Number(digit) - 1] ?? whole);

/** Runs a line's commands one after another up to the first that fails; the output is that of all. */
const run = async (context: CaseContext, line: string, input?: string): Promise<Output> => {
  let all: Output = { code: 0, stdout: '', stderr: '' };
  for (const [program, ...words] of commandsOf(line)) {
    if (program !== 'kubectl') throw new Error(`not a kubectl command: ${line}`);
    const args = words.map(word =>
      nodeNames(context, word)
        .replaceAll('NAMESPACE', context.namespace)
        .replace(/^docs-manifests\//, `${manifestFolder}/`),
    );
    const output = await context.kubectl(args, input);
    all = { code: output.code, stdout: all.stdout + output.stdout, stderr: all.stderr + output.stderr };
    if (output.code !== 0) break;
  }
  return all;
};

const eventMissing = async (context: CaseContext, step: Step): Promise<string | undefined> => {
  const { kind, name, namespace, reason, messageContains } = step.checkEvents!;
  const selector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
  const where = namespace === 'default' ? context.namespace : namespace;
  const output = await context.kubectl(['get', 'events', '-n', where, '--field-selector', selector, '-o', 'json']);
  if (output.code !== 0) return output.stderr;
  const messages = (JSON.parse(output.stdout) as { items: { message: string }[] }).items.map(event => event.message);
  const found = messages.some(message => messageContains.every(part => message.includes(part)));
  return found ? undefined : `no event ${reason} with ${messageContains.join(', ')} among ${JSON.stringify(messages)}`;
};
