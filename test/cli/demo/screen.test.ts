import { expect, test } from 'vitest';
import { createScreen, tableLines } from '#cli/demo/screen.ts';

const screenOf = (terminal: boolean) => {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  return { screen: createScreen({ write, terminal, colour: false, columns: 80 }), text: () => text };
};

test('columns are aligned, the last one is not padded', () => {
  expect(
    tableLines([
      ['NAME', 'AGE'],
      ['a-long-name', '3s'],
    ]),
  ).toEqual(['NAME          AGE', 'a-long-name   3s']);
});

test('without a terminal there is no control character and no status line', () => {
  const { screen, text } = screenOf(false);
  screen.title('Set-up');
  screen.step('installing');
  screen.status('waiting');
  screen.good('done');
  expect(text()).toBe(`\nSet-up ${'─'.repeat(73)}\n  … installing\n  ✓ done\n`);
});

test('on a terminal the status line is overwritten by what follows', () => {
  const { screen, text } = screenOf(true);
  screen.status('waiting');
  screen.good('done');
  expect(text()).toBe('  … waiting\r\u001b[K  ✓ done\n');
});
