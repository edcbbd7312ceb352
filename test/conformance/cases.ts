/** The cases of the Kubernetes documentation as data (test/data/docs-cases), with what our scripts add to them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineApi } from '#setup/engine-api.ts';
import { commandsOf, type Expectation, type Output } from './expectation.ts';

export interface EventCheck {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly reason: string;
  readonly messageContains: readonly string[];
}

export interface Step extends Expectation {
  readonly do?: string;
  readonly check?: string;
  /** Seconds in which the check must come true. */
  readonly within?: number;
  /** Seconds for which it must then stay true. */
  readonly stableFor?: number;
  readonly checkEvents?: EventCheck;
  readonly hostCheck?: string;
  readonly unit?: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly note?: string;
  /** Ours: text for `-f -`. */
  readonly input?: string | ((context: CaseContext) => Promise<string>);
  /** Ours: anything that takes more than one command; undefined when all is well. */
  readonly probe?: (context: CaseContext) => Promise<string | undefined>;
}

export interface Case {
  readonly id: string;
  readonly page: string;
  readonly scope: 'core' | 'extended';
  readonly needsKinds: readonly string[];
  readonly documented: string;
  readonly steps: readonly Step[];
}

export interface CaseContext {
  /** NODE1, NODE2 … of the case. */
  readonly nodes: readonly string[];
  readonly namespace: string;
  readonly engine: EngineApi;
  kubectl(args: readonly string[], input?: string): Promise<Output>;
}

/** How a case is run where its own words are not enough. */
export interface Script {
  /** Before the case's own steps. */
  readonly before?: readonly Step[];
  /** By index of the step: what is done instead of it. */
  readonly instead?: Readonly<Record<number, readonly Step[]>>;
  /** Always, after the case. */
  readonly after?: readonly Step[];
  /** On four nodes instead of one. */
  readonly severalNodes?: boolean;
  /** Changes a node so that no other case may run beside it. */
  readonly alone?: boolean;
  /** In the namespace `default`, because the case names it. */
  readonly inDefault?: boolean;
}

const data = join(import.meta.dirname, '..', 'data');
export const manifestFolder = join(data, 'docs-manifests');

export const allCases = (JSON.parse(readFileSync(join(data, 'docs-cases', 'cases.json'), 'utf8')) as { cases: Case[] })
  .cases;

/** The text of one of the documentation's example files. */
export const manifest = (name: string): string => readFileSync(join(manifestFolder, name), 'utf8');

/** True for a line that can be run as it stands, not a sentence or a command with a remark. */
export const isCommand = (line: string): boolean =>
  commandsOf(line).every(command => command[0] === 'kubectl') && !/ \(|: the | with /.test(line);

/** The namespace that a case makes for itself, if it does. */
export const ownNamespace = (found: Case): string | undefined => {
  for (const step of found.steps) {
    const name = /^kubectl create namespace (\S+)$/.exec(step.do ?? '')?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
};
