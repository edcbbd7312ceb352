/** --scheduler-config: what is wrong in the file or in its plugins is told with its place; the page about it tells the truth. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSchedulerConfig } from '#cli/local/scheduler-config.ts';

const root = join(import.meta.dirname, '../../..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-sched-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';

const messageOf = async (text: string): Promise<string> => {
  const path = write('sched.yaml', text);
  const error: unknown = await readSchedulerConfig(path).catch(error => error);
  if (!(error instanceof Error)) return '';
  return error.message.replaceAll(`${folder}/`, '');
};

describe('the file', () => {
  test('faults have line, column and field, from top to bottom', async () => {
    const text = `${head}podInitialBackoffSeconds: no
profiles:
- schedulerName: a
  plugins:
    score:
      enabled:
      - name: NodeFit
      - name: ImageLocality
        weight: 0
  pluginConfig:
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
          - matchExpressions:
            - {key: disk, operator: In, values: [ssd]}
            - key: 5
- {schedulerName: a, plugin: {}}
`;
    expect(await messageOf(text)).toBe(`sched.yaml cannot be used as the scheduler's configuration:
sched.yaml:3:1: podInitialBackoffSeconds: Invalid value: false: must be a whole number
sched.yaml:9:9: profiles[0].plugins.score.enabled[0].name: ScorePlugin "NodeFit" does not exist; did you mean NodeAffinity or NodeResourcesFit?
sched.yaml:11:9: profiles[0].plugins.score.enabled[1].weight: Invalid value: 0: must be greater than zero; to leave a plugin out, disable it
sched.yaml:19:16: profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.matchExpressions.key: json: cannot unmarshal number into Go struct field NodeSelectorRequirement.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.matchExpressions.key of type string
sched.yaml:21:4: profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"
sched.yaml:21:22: profiles[1].plugin: unknown field "profiles[1].plugin"; known here: schedulerName, percentageOfNodesToScore, pluginConfig, plugins`);
  });

  test('faults of YAML itself have their place too', async () => {
    expect(await messageOf(`${head}profiles: [{`)).toMatch(/sched\.yaml:3:\d+/);
    expect(await messageOf(`${head}parallelism: 1\nparallelism: 2\n`)).toMatch(
      /key "parallelism" already set in map\nsched\.yaml:4:1/,
    );
  });

  test('one document, and one that is there', async () => {
    expect(await messageOf(`${head}---\n${head}`)).toBe(
      'sched.yaml:4:1: a second document begins here; expected one document, of kind KubeSchedulerConfiguration',
    );
    for (const text of ['', '# nothing\n', '---\n---\n'])
      expect(await messageOf(text)).toBe(
        'sched.yaml:1:1: there is nothing in the file; expected one document, of kind KubeSchedulerConfiguration',
      );
    expect(await messageOf(`---\n${head}`)).toBe('');
    await expect(readSchedulerConfig(join(folder, 'none.yaml'))).rejects.toThrow(
      /^the scheduler's configuration .*none\.yaml cannot be read: no such file or directory$/,
    );
    await expect(readSchedulerConfig(folder)).rejects.toThrow(/cannot be read: it is a directory; expected a file$/);
  });

  test('a fault of a field that is not stated is shown at the one that it is about', async () => {
    expect(await messageOf(`${head}podInitialBackoffSeconds: 20\n`)).toMatch(
      /\nsched\.yaml:3:1: podMaxBackoffSeconds: Invalid value: 10: /,
    );
  });

  test('tabs are shown where they are', async () => {
    expect(await messageOf(`${head}profiles:\n\t- {}\n`)).toMatch(
      /line 4: Tabs are not allowed as indentation\nsched\.yaml:4:1\n/,
    );
  });

  test('what has no effect is warned about with its place', async () => {
    const { warnings } = await readSchedulerConfig(write('idle.yaml', `${head}leaderElection:\n  leaderElect: true\n`));
    expect(warnings).toEqual([
      `${folder}/idle.yaml:3:1: leaderElection: has no effect: the scheduler runs in the process of the API server`,
    ]);
  });
});

describe('plugins', () => {
  const declared = (...files: string[]): string =>
    `${head}x-berth-plugins:\n${files.map((file, i) => `- {name: P${i}, file: ${file}}\n`).join('')}`;

  test('are loaded from files beside the configuration, and get their arguments', async () => {
    write('good.ts', 'export default (args: { n: number }) => ({ score: (): number => args.n });\n');
    const text = `${declared('./good.ts')}profiles:\n- plugins: {score: {enabled: [{name: P0, weight: 3}]}}\n  pluginConfig: [{name: P0, args: {n: 7}}]\n`;
    const { config } = await readSchedulerConfig(write('good.yaml', text));
    expect(config.profiles[0]!.scores.at(-1)).toMatchObject({ plugin: { name: 'P0' }, weight: 3 });
  });

  test('that are not there, or nothing of use', async () => {
    write('empty.ts', 'export const filter = (): undefined => undefined;\n');
    write('number.mjs', 'export default 5;\n');
    const message = await messageOf(declared('none.ts', 'plugin.py', 'empty.ts', 'number.mjs'));
    expect(message.split('\n').slice(1)).toEqual([
      expect.stringMatching(
        /^sched\.yaml:4:14: x-berth-plugins\[0\]\.file: it cannot be read: no such file or directory: none\.ts/,
      ),
      'sched.yaml:5:14: x-berth-plugins[1].file: Invalid value: "plugin.py": expected a file that ends in .ts, .mts, .js, .mjs',
      'sched.yaml:6:14: x-berth-plugins[2].file: empty.ts has no default export',
      'sched.yaml:7:14: x-berth-plugins[3].file: it is no plugin: expected an object with filter or score, not 5',
    ]);
  });

  test('that wait for ever while they are loaded are given up', async () => {
    write('hang.ts', 'await new Promise(() => {});\nexport default { score: () => 1 };\n');
    const path = write('hang.yaml', declared('hang.ts'));
    const slept: number[] = [];
    const soon = {
      sleep: async (delayMs: number): Promise<void> => {
        slept.push(delayMs);
      },
    };
    await expect(readSchedulerConfig(path, soon)).rejects.toThrow(
      /hang\.yaml:4:14: x-berth-plugins\[0\]\.file: it cannot be loaded: .*hang\.ts still waits for something after 10 s$/,
    );
    expect(slept).toEqual([10_000]);
  });

  test('that Node cannot load are told with file and line, by the program itself', async () => {
    write('syntax.ts', 'const n: number = 1;\nexport default {\n  filter(pod {},\n};\n');
    write('enum.ts', 'const n: number = 1;\nenum Colour { Red }\nexport default {};\n');
    write('throws.ts', '\n\nthrow new Error("no such table");\n');
    write('script.js', 'export default {\n  score() { return 1 },\n}}\n');
    write('lost.ts', "import { zones } from './zones.ts';\nexport default { score: () => zones };\n");
    const config = write('broken.yaml', declared('syntax.ts', 'enum.ts', 'throws.ts', 'script.js', 'lost.ts'));
    const args = ['server', '--scheduler-config', config, '--data', join(folder, 'data'), '--port', '0'];
    const { code, err } = await new Promise<{ code: number | null; err: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [join(root, 'cli/bin.js'), ...args], { cwd: folder });
      let err = '';
      child.stderr.on('data', chunk => {
        err += String(chunk);
      });
      child.on('error', reject);
      child.on('close', code => resolve({ code, err }));
    });
    expect(code).toBe(1);
    const lines = err.trim().replaceAll(`${folder}/`, '').split('\n');
    expect(lines).toEqual([
      "error: broken.yaml cannot be used as the scheduler's configuration:",
      "broken.yaml:4:14: x-berth-plugins[0].file: it cannot be loaded: syntax.ts:3:14: Expected ',', got '{'",
      'broken.yaml:5:14: x-berth-plugins[1].file: it cannot be loaded: enum.ts:2:1: TypeScript enum is not supported in strip-only mode',
      'broken.yaml:6:14: x-berth-plugins[2].file: it cannot be loaded: throws.ts:3:7: no such table',
      "broken.yaml:7:14: x-berth-plugins[3].file: it cannot be loaded: script.js:3:2: Unexpected token '}'",
      expect.stringMatching(
        /^broken\.yaml:8:14: x-berth-plugins\[4\]\.file: it cannot be loaded: lost\.ts: Cannot find module 'zones\.ts'/,
      ),
    ]);
  });
});

describe('docs/SCHEDULER-CONFIG.md', () => {
  const page = readFileSync(join(root, 'docs/SCHEDULER-CONFIG.md'), 'utf8');
  const blocks = [...page.matchAll(/```(yaml|ts)\n([\s\S]*?)```/g)].map(match => match[2]);

  test.each(['scheduler.yaml', 'tenant-zones.ts', 'fewest-pods.ts'])('shows %s as it is run', name => {
    const file = readFileSync(join(root, 'manifests/scheduler', name), 'utf8');
    // The page says the first line, how to use the file, in its own words.
    expect(blocks).toContain(name.endsWith('.yaml') ? file.slice(file.indexOf('\n') + 1) : file);
  });

  test('quotes an error as it is', async () => {
    const text = `${head}${'\n'.repeat(12)}profiles:\n- plugins:\n    score:\n      enabled:\n      - name: NodeFit\n`;
    const line = (await messageOf(text)).split('\n')[1]!;
    expect(page).toContain(line);
  });
});
