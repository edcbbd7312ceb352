/**
 * What is kept between decisions for one cluster and one profile: prepared plugins and standing results per shape of
 * pod, and work arrays. All of it can be dropped at any time without changing a decision. A shape seen for the first
 * time uses a standing that is given up for the next such shape; only from its second use is it kept.
 */
import type { Columns } from './columns/columns.ts';
import type { VictimFindings } from './preemption/victims.ts';
import type { Profile } from './profile.ts';
import { disposeRuns, prepareRuns, type Runs } from './runs.ts';
import { NodeStanding } from './search/node-standing.ts';
import { Standing } from './search/standing.ts';
import { Workspace } from './search/workspace.ts';
import { Recent } from './shapes/recent.ts';
import type { Shape } from './shapes/shape.ts';

/** Bytes that standing results may take; a standing takes about 22 per node when it is grouped. */
const standingBudget = 64 << 20;
const bytesPerNode = 22;
const leastStandings = 16;
const nodeStandingLimit = 256;
const runsLimit = 256;
const victimLimit = 8;

/** Prepared plugins, and what of the columns they were prepared on. */
interface PreparedRuns {
  readonly runs: Runs;
  readonly epoch: number;
  readonly selectors: number;
  readonly nodes: number;
}

const engines = new WeakMap<Columns, Map<Profile, Engine>>();

/** Made by `Engine.of` only. What it gives out is valid until the columns change. */
export class Engine {
  readonly columns: Columns;
  readonly profile: Profile;
  readonly workspace = new Workspace();
  readonly #standings = new Recent<Shape, Standing>(leastStandings, standing => standing.dispose());
  readonly #nodeStandings = new Recent<string, NodeStanding>(nodeStandingLimit);
  readonly #runs = new Recent<Shape, PreparedRuns>(runsLimit, ({ runs }) => disposeRuns(runs));
  /** By shape, then by priority. */
  readonly #victims = new Recent<Shape, Recent<number, VictimFindings>>(victimLimit);
  /** Of a shape that was seen once. */
  #newest: Standing | undefined;

  /** The engine of this cluster and profile; always the same one. */
  static of(columns: Columns, profile: Profile): Engine {
    let byProfile = engines.get(columns);
    if (byProfile === undefined) {
      byProfile = new Map();
      engines.set(columns, byProfile);
    }
    let engine = byProfile.get(profile);
    if (engine === undefined) {
      engine = new Engine(columns, profile);
      byProfile.set(profile, engine);
    }
    engine.#fit();
    return engine;
  }

  private constructor(columns: Columns, profile: Profile) {
    this.columns = columns;
    this.profile = profile;
  }

  #fit(): void {
    const { capacity } = this.columns;
    this.workspace.fit(capacity);
    this.#standings.limit = Math.max(leastStandings, Math.floor(standingBudget / (bytesPerNode * capacity)));
  }

  /** Standing results for the shape, up to date. */
  standingOf(shape: Shape): Standing {
    this.columns.shapes.revive(shape);
    const standing = this.#known(shape) ?? this.#make(shape);
    standing.sync();
    return standing;
  }

  #known(shape: Shape): Standing | undefined {
    if (this.#newest?.shape === shape) {
      this.#standings.set(shape, this.#newest);
      this.#newest = undefined;
    }
    const known = this.#standings.use(shape);
    if (known === undefined || known.isUsable) return known;
    this.#standings.remove(shape);
    return undefined;
  }

  #make(shape: Shape): Standing {
    this.#newest?.dispose();
    const node = this.#nodeStandingOf(shape);
    this.#newest = new Standing(shape, this.columns, this.profile, { node, workspace: this.workspace });
    return this.#newest;
  }

  #nodeStandingOf(shape: Shape): NodeStanding {
    const known = this.#nodeStandings.use(shape.nodeKey);
    if (known?.isUsable) return known;
    const fresh = new NodeStanding(shape, this.columns, this.profile, this.workspace);
    this.#nodeStandings.set(shape.nodeKey, fresh);
    return fresh;
  }

  /** The plugins made ready for the shape, for looking at single nodes; they follow no changes of pods by themselves. */
  runsOf(shape: Shape): Runs {
    this.columns.shapes.revive(shape);
    const standing = this.#newest?.shape === shape ? this.#newest : this.#standings.use(shape);
    if (standing?.isUsable) {
      standing.sync();
      return standing.runs;
    }
    const { epoch, log, surroundings } = this.columns;
    const now = { epoch, selectors: surroundings.selectorsRevision, nodes: log.nodesRevision };
    const known = this.#runs.use(shape);
    if (known?.epoch === now.epoch && known.selectors === now.selectors && known.nodes === now.nodes) return known.runs;
    const runs = prepareRuns(shape, this.columns, this.profile);
    this.#runs.set(shape, { runs, ...now });
    return runs;
  }

  /** What was found out about victims for pods of this shape and priority. */
  victimFindings(shape: Shape, priority: number): VictimFindings | undefined {
    return this.#victims.use(shape)?.use(priority);
  }

  keepVictimFindings(shape: Shape, priority: number, findings: VictimFindings): void {
    const byPriority = this.#victims.use(shape) ?? new Recent<number, VictimFindings>(victimLimit);
    byPriority.set(priority, findings);
    this.#victims.set(shape, byPriority);
  }
}
