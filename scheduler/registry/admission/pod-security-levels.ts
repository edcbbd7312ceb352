/**
 * The levels of the Pod Security Standards, as the labels pod-security.kubernetes.io/* of a namespace choose them. A label
 * that cannot be read counts as the strictest level where pods are refused, and as none where they are only warned about.
 */
import type { PodSpec } from '#api/kinds/pod.ts';
import { type Cause, invalidValue } from '#api/status.ts';
import { baselineChecks, type Check, hostPortsCheck, restrictedChecks } from './pod-security-checks.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';
type Labels = Readonly<Record<string, string>>;

export const labelPrefix = 'pod-security.kubernetes.io/';
const levels: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const modes = ['enforce', 'audit', 'warn'] as const;

export interface Policy {
  readonly level: Level;
  /** True where no label asks for a level: then Berth's own default leaves hostPorts free. */
  readonly hostPortsAllowed: boolean;
}

/** What pods of the namespace are refused for. */
export const enforcedPolicy = (labels: Labels): Policy => {
  const label = labels[`${labelPrefix}enforce`];
  if (label === undefined) return { level: 'baseline', hostPortsAllowed: true };
  return { level: levelOf(label) ?? 'restricted', hostPortsAllowed: false };
};

/** What is only warned about; undefined: nothing is asked for. */
export const warnedPolicy = (labels: Labels): Policy | undefined => {
  const label = labels[`${labelPrefix}warn`];
  return label === undefined ? undefined : { level: levelOf(label) ?? 'privileged', hostPortsAllowed: false };
};

const levelOf = (label: string): Level | undefined => levels.find(level => level === label);

/** Positive when the first is the stricter one. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

/** What stands against the pod under that policy, as `reason (detail)`; empty: nothing. */
export const violations = (spec: PodSpec, { level, hostPortsAllowed }: Policy): readonly string[] => {
  if (level === 'privileged') return [];
  const baseline = baselineChecks.filter(check => !hostPortsAllowed || check !== hostPortsCheck);
  const checks: readonly Check[] = level === 'baseline' ? baseline : [...baseline, ...restrictedChecks];
  return checks.flatMap(check => check(spec) ?? []);
};

/** The labels that cannot be read, in upstream's words. */
export const labelFaults = (labels: Labels): readonly Cause[] =>
  modes.flatMap(mode => {
    const [level, version] = [labels[labelPrefix + mode], labels[`${labelPrefix}${mode}-version`]];
    return [
      ...(level === undefined || levelOf(level) !== undefined
        ? []
        : [labelFault(mode, level, `must be one of ${levels.join(', ')}`)]),
      ...(version === undefined || version === 'latest' || /^v1\.(0|[1-9][0-9]*)$/.test(version)
        ? []
        : [labelFault(`${mode}-version`, version, 'must be "latest" or "v1.x"')]),
    ];
  });

const labelFault = (label: string, value: string, why: string): Cause =>
  invalidValue(`metadata.labels[${labelPrefix}${label}]`, value, why);

/** The version labels that ask for another version of the standards than the latest. */
export const olderVersions = (labels: Labels): readonly string[] =>
  modes
    .map(mode => `${labelPrefix}${mode}-version`)
    .filter(label => labels[label] !== undefined && labels[label] !== 'latest');
