/**
 * What is kept between decisions for one cluster and one profile: prepared plugins and standing results per shape of
 * pod, and work arrays. All of it can be dropped at any time without changing a decision. A shape seen for the first
 * time uses a standing that is given up for the next such shape; only from its second use is it kept.
 */
import type { Columns } from './columns.ts';
import { NodeStanding } from './node-standing.ts';
import type { Profile } from './profile.ts';
import { disposeRuns, prepareRuns, type Runs } from './runs.ts';
import type { Shape } from './shape.ts';
import { Standing } from './standing.ts';
import type { VictimFindings } from './victims.ts';
import { Workspace } from './workspace.ts';

/** Bytes that standing results may take; a standing takes about 26 per node when it is grouped. */
const standingBudget = 64 << 20;
const nodeStandingLimit = 256;
const runsLimit = 256;
const victimLimit = 8;

const engines = new WeakMap<Columns, Map<Profile, Engine>>();

export class Engine {
  readonly columns: Columns;
  readonly profile: Profile;
  readonly workspace = new Workspace();
  readonly #standings = new Map<Shape, Standing>();
  readonly #nodeStandings = new Map<string, NodeStanding>();
  readonly #runs = new Map<Shape, { runs: Runs; epoch: number; selectors: number; nodes: number }>();
  readonly #victims = new Map<Shape, Map<number, VictimFindings>>();
  #newest: Standing | undefined;

  /** The engine of this cluster and profile. */
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
    engine.workspace.fit(columns.capacity);
    return engine;
  }

  private constructor(columns: Columns, profile: Profile) {
    this.columns = columns;
    this.profile = profile;
  }

  /** Standing results for the shape, up to date. */
  standingOf(shape: Shape): Standing {
    this.columns.shapes.revive(shape);
    const standing = this.#known(shape) ?? this.#make(shape);
    standing.sync();
    return standing;
  }

  #known(shape: Shape): Standing | undefined {
    const newest = this.#newest?.shape === shape ? this.#newest : undefined;
    const known = newest ?? this.#standings.get(shape);
    if (known === undefined) return undefined;
    this.#standings.delete(shape);
    if (newest !== undefined) this.#newest = undefined;
    if (!known.isUsable) {
      known.dispose();
      return undefined;
    }
    this.#standings.set(shape, known);
    const limit = Math.max(16, Math.floor(standingBudget / (26 * this.columns.capacity)));
    if (this.#standings.size > limit) this.#evict();
    return known;
  }

  #evict(): void {
    for (const [shape, standing] of this.#standings) {
      standing.dispose();
      this.#standings.delete(shape);
      return;
    }
  }

  #make(shape: Shape): Standing {
    this.#newest?.dispose();
    const node = this.#nodeStandingOf(shape);
    this.#newest = new Standing(shape, this.columns, this.profile, { node, workspace: this.workspace });
    return this.#newest;
  }

  #nodeStandingOf(shape: Shape): NodeStanding {
    let known = this.#nodeStandings.get(shape.nodeKey);
    this.#nodeStandings.delete(shape.nodeKey);
    if (known === undefined || !known.isUsable)
      known = new NodeStanding(shape, this.columns, this.profile, this.workspace);
    this.#nodeStandings.set(shape.nodeKey, known);
    if (this.#nodeStandings.size > nodeStandingLimit)
      for (const key of this.#nodeStandings.keys()) {
        this.#nodeStandings.delete(key);
        break;
      }
    return known;
  }

  victimFindings(shape: Shape, priority: number): VictimFindings | undefined {
    return this.#victims.get(shape)?.get(priority);
  }

  keepVictimFindings(shape: Shape, priority: number, findings: VictimFindings): void {
    const byPriority = this.#victims.get(shape) ?? new Map<number, VictimFindings>();
    byPriority.set(priority, findings);
    this.#victims.delete(shape);
    this.#victims.set(shape, byPriority);
    if (this.#victims.size > victimLimit)
      for (const oldest of this.#victims.keys()) {
        this.#victims.delete(oldest);
        break;
      }
  }

  /** The plugins made ready for the shape, for looking at single nodes; they follow no changes of pods by themselves. */
  runsOf(shape: Shape): Runs {
    this.columns.shapes.revive(shape);
    const standing = this.#standings.get(shape) ?? (this.#newest?.shape === shape ? this.#newest : undefined);
    if (standing?.isUsable) {
      standing.sync();
      return standing.runs;
    }
    const { epoch } = this.columns;
    const nodes = this.columns.log.nodesRevision;
    const selectors = this.columns.surroundings.selectorsRevision;
    const known = this.#runs.get(shape);
    this.#runs.delete(shape);
    if (known !== undefined) {
      if (known.epoch === epoch && known.selectors === selectors && known.nodes === nodes) {
        this.#runs.set(shape, known);
        return known.runs;
      }
      disposeRuns(known.runs);
    }
    const runs = prepareRuns(shape, this.columns, this.profile);
    this.#runs.set(shape, { runs, epoch, selectors, nodes });
    if (this.#runs.size > runsLimit)
      for (const [oldest, { runs: unused }] of this.#runs) {
        disposeRuns(unused);
        this.#runs.delete(oldest);
        break;
      }
    return runs;
  }
}
