/**
 * Reads a configuration document field by field and keeps account: every wrong type, and every field that nobody asked
 * for, becomes a fault with its path (`profiles[0].plugins.score`). All faults of a document are found in one go.
 */
import { type Cause, invalidValue } from '#api/status.ts';

/** What is wrong, or has no effect, and where. The path leads through the document from its root. */
export interface Fault {
  readonly path: string;
  readonly message: string;
  /** Path of the field to look at, when that is another. */
  readonly at?: string;
}

export class Report {
  readonly faults: Fault[] = [];
  readonly warnings: Fault[] = [];

  fault(path: string, message: string, at = path): void {
    // What stands there with a wrong type is not missing as well.
    if (message.startsWith('Required value') && this.faults.some(fault => fault.path === path)) return;
    this.faults.push({ path, message, ...(at === path ? {} : { at }) });
  }

  add(causes: readonly Cause[]): void {
    for (const { field, message } of causes) this.fault(field, message);
  }

  warn(path: string, message: string): void {
    this.warnings.push({ path, message });
  }
}

const int32Limit = 2 ** 31;

/** One mapping of the document. A field that is absent or null reads as undefined. */
export class Section {
  readonly path: string;
  readonly report: Report;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  private constructor(values: Readonly<Record<string, unknown>>, path: string, report: Report) {
    this.#values = values;
    this.path = path;
    this.report = report;
  }

  /** Undefined, with a fault, for what is no mapping. */
  static of(value: unknown, path: string, report: Report): Section | undefined {
    if (isMapping(value)) return new Section(value, path, report);
    report.fault(path, expected(value, 'a mapping'));
    return undefined;
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** The field as it stands. */
  value(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'a string', (value): value is string => typeof value === 'string');
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  /** A whole number in the range of an int32. */
  whole(name: string): number | undefined {
    const isWhole = (value: unknown): value is number =>
      Number.isInteger(value) && (value as number) >= -int32Limit && (value as number) < int32Limit;
    return this.#typed(name, 'a whole number', isWhole);
  }

  section(name: string): Section | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : Section.of(value, this.at(name), this.report);
  }

  /** The items with their paths; undefined when the field is absent. */
  items(name: string): readonly { readonly value: unknown; readonly path: string }[] | undefined {
    const list = this.#typed(name, 'a list', (value): value is readonly unknown[] => Array.isArray(value));
    return list?.map((value, i) => ({ value, path: `${this.at(name)}[${i}]` }));
  }

  /** The items that are mappings. */
  sections(name: string): readonly Section[] | undefined {
    return this.items(name)
      ?.map(({ value, path }) => Section.of(value, path, this.report))
      .filter(section => section !== undefined);
  }

  /** A list of strings. */
  texts(name: string): readonly string[] | undefined {
    return this.items(name)?.flatMap(({ value, path }) => {
      if (typeof value === 'string') return [value];
      this.report.fault(path, expected(value, 'a string'));
      return [];
    });
  }

  fault(name: string, message: string): void {
    this.report.fault(this.at(name), message);
  }

  warn(name: string, message: string): void {
    this.report.warn(this.at(name), message);
  }

  /** Fields that were asked for by nobody are faults. To be called once all have been read. */
  end(): void {
    for (const name of Object.keys(this.#values))
      if (!this.#known.has(name))
        this.fault(name, `unknown field ${JSON.stringify(this.at(name))}; known here: ${[...this.#known].join(', ')}`);
  }

  #typed<T>(name: string, what: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.value(name);
    if (value === undefined || is(value)) return value;
    this.fault(name, expected(value, what));
    return undefined;
  }
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const expected = (value: unknown, what: string): string => invalidValue('', value ?? null, `must be ${what}`).message;
