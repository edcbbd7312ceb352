import { describe, expect, test } from 'vitest';
import { alignTabs, describeTabs, tableTabs } from '#cli/output/tabwriter.ts';

describe('tab stops', () => {
  test('a column is as wide as its widest cell plus padding', () => {
    expect(alignTabs('NAME\tREADY\tAGE\nlonger-name\t1/1\t5m', tableTabs)).toBe(
      'NAME          READY   AGE\nlonger-name   1/1     5m',
    );
  });
  test('a line without a cell ends the column', () => {
    expect(alignTabs('A:\tx\nB\nlong title:\ty', describeTabs)).toBe('A:  x\nB\nlong title:  y');
  });
  test('an inner block is aligned on its own', () => {
    expect(alignTabs('a\tb\tc\nd\te\nfff\tggg\th', describeTabs)).toBe('a    b  c\nd    e\nfff  ggg  h');
  });
  test('a last cell that ends with a tab is padded too', () => {
    expect(alignTabs('NAME\tCPU\t\nx\t1m\t', tableTabs)).toBe('NAME   CPU   \nx      1m    ');
  });
  test('widths are remembered from one part of a watch to the next', () => {
    const remembered: number[] = [];
    alignTabs('a-long-name\tx', { ...tableTabs, remembered });
    expect(alignTabs('b\ty', { ...tableTabs, remembered })).toBe('b             y');
  });
  test('width counts characters, not bytes', () => {
    expect(alignTabs('äöüß✓\tx\nabcdef\ty', describeTabs)).toBe('äöüß✓   x\nabcdef  y');
  });
});
