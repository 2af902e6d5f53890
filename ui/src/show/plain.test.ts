import { expect, test } from 'vitest';
import { firstLine } from './plain';

test.each([
  ['5 * 3 * 2 = 30, a_b_c, <name>', '5 * 3 * 2 = 30, a_b_c, <name>'],
  ['## Release **the** batch?\n\nmore', 'Release the batch?'],
  [
    'Live AUC is *down*. See the [runbook](https://x.y/z) in `eu-west`.',
    'Live AUC is down. See the runbook in eu-west.',
  ],
  ['> quoted', 'quoted'],
  ['- first\n- second', 'first'],
  ['__init__ and _this_ and snake_case_name', 'init and this and snake_case_name'],
  ['2*3*4', '2*3*4'],
  ['#hashtag', '#hashtag'],
  ['```py\nprint(1)\n```', 'print(1)'],
  ['', ''],
  ['**', '**'],
])('the first line of %j is %j', (markdown, line) => {
  expect(firstLine(markdown)).toBe(line);
});
