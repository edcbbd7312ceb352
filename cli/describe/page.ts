/** Text of `describe`: lines at levels of two spaces, with tabs that are aligned when the page (or a part) is done. */
import { alignTabs, describeTabs } from '../output/tabwriter.ts';

export class Page {
  #pending = '';
  #done = '';

  /** Lines at an indentation level; `text` may hold several, only the first is indented. */
  line(level: number, text: string): void {
    this.#pending += `${'  '.repeat(level)}${text}\n`;
  }

  /** What comes next is aligned apart from what came before. */
  flush(): void {
    this.#done += alignTabs(this.#pending, describeTabs);
    this.#pending = '';
  }

  text(): string {
    this.flush();
    return this.#done;
  }
}

/** A mapping over several lines: `Labels:  a=b` and the rest below; `<none>` when empty. */
export const mapLines = (page: Page, title: string, map: Readonly<Record<string, string>> | undefined): void => {
  const keys = Object.keys(map ?? {}).sort();
  if (keys.length === 0) page.line(0, `${title}:\t<none>`);
  for (const [i, key] of keys.entries()) page.line(0, `${i === 0 ? `${title}:` : ''}\t${key}=${map![key]}`);
};

const maxAnnotationLength = 140;
const hiddenAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

export const annotationLines = (
  page: Page,
  annotations: Readonly<Record<string, string>> | undefined,
  title = 'Annotations',
): void => {
  const keys = Object.keys(annotations ?? {})
    .filter(key => key !== hiddenAnnotation)
    .sort();
  if (keys.length === 0) page.line(0, `${title}:\t<none>`);
  for (const [i, key] of keys.entries()) {
    const value = annotations![key]!.replace(/\n$/, '');
    const head = `${i === 0 ? `${title}:` : ''}\t${key}:`;
    if (value.length + key.length + 2 <= maxAnnotationLength && !value.includes('\n')) page.line(0, `${head} ${value}`);
    else {
      page.line(0, head);
      for (const part of value.split('\n')) page.line(0, `\t  ${shorten(part, maxAnnotationLength - 2)}`);
    }
  }
};

const shorten = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}...` : text);

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 1123 with a numeric zone, in the local time of this machine: `Mon, 02 Jan 2006 15:04:05 +0000`. */
export const dateText = (time: string | null | undefined): string => {
  if (!time) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${days[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
};

export const orNone = (text: string | undefined): string => (text ? text : '<none>');
export const titleBool = (value: boolean | undefined): string => (value ? 'True' : 'False');
