import { expect, test } from 'vitest';
import { csvField, csvLine } from './csv';

test('a text that a spreadsheet would compute is opened as text', () => {
  for (const text of ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("x")']) {
    expect(csvField(text).replace(/^"/, ''), text).toMatch(/^'/);
  }
});

test('a number keeps its sign', () => {
  for (const text of ['-5', '+5', '-0.25', '-1.5e-7', '12']) expect(csvField(text)).toBe(text);
});

test('what separates is quoted', () => {
  expect(csvLine(['a', 'b,c', 'd"e', '', ' x', 'two\nlines'])).toBe('a,"b,c","d""e",," x","two\nlines"\r\n');
});
